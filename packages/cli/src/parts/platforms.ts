import { join } from 'node:path'
import { execPlatform, fileIntent, httpPlatform, type Platform, routerPlatform } from '@interlock/agent'
import type { Config } from '../config.ts'
import { UsageError } from '../errors.ts'

/** The serving platform of a deployment, as interlock.yaml describes it. */
export function platformOf(config: Config, deployment: string): Platform {
  const platform = config.platforms[deployment]
  if (platform === undefined) {
    throw new UsageError(`no platform is configured for "${deployment}": add platforms.${deployment} to interlock.yaml`)
  }
  const intent = fileIntent(join(config.data, `intent-${deployment}.json`))
  switch (platform.kind) {
    case 'router':
      return routerPlatform({ url: platform.url, token: fromEnvironment(platform.tokenEnv, deployment) })
    case 'http': {
      const token = platform.tokenEnv === undefined ? {} : { token: fromEnvironment(platform.tokenEnv, deployment) }
      return httpPlatform({
        observeUrl: platform.observeUrl,
        readyUrl: platform.readyUrl,
        applyUrl: platform.applyUrl,
        intent,
        ...token,
      })
    }
    case 'exec':
      return execPlatform({ apply: platform.apply, observe: platform.observe, ready: platform.ready, intent })
  }
}

/** Secrets come from the environment, never from a file that is committed. */
export function fromEnvironment(name: string, what: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') {
    throw new UsageError(`the environment variable ${name} is not set; it holds the token for ${what}`)
  }
  return value
}
