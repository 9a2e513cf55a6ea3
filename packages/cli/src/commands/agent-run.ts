import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { httpPlatform, routerPlatform } from '@interlock/agent'
import { agentFromFiles, fileIntent, type Platform, runAgent, setupFromEnvironment } from '@interlock/client/agent'
import { exitCodes, UsageError } from '../errors.ts'

/** `interlock agent run`: our agent for one deployment, told everything by `INTERLOCK_*`. Ends on SIGTERM. */
export async function agentRun(environment: NodeJS.ProcessEnv = process.env): Promise<number> {
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
  const setup = await setupFromEnvironment(environment).catch((error: Error) => {
    throw new UsageError(error.message)
  })
  await mkdir(setup.stateFolder, { recursive: true, mode: 0o700 })
  const platform = platformFrom(environment, setup.stateFolder)
  await runAgent(await agentFromFiles(setup, platform, stop.signal), stop.signal)
  return exitCodes.good
}

function platformFrom(environment: NodeJS.ProcessEnv, stateFolder: string): Platform {
  const {
    INTERLOCK_PLATFORM_URL: url,
    INTERLOCK_PLATFORM_KIND: kind = 'http',
    INTERLOCK_PLATFORM_TOKEN: token,
  } = environment
  if (url === undefined || !URL.canParse(url))
    throw new UsageError(
      'The environment variable INTERLOCK_PLATFORM_URL is not set to an address; it names the serving platform.',
    )
  if (kind === 'router') return routerPlatform({ url, token: token ?? '' })
  if (kind !== 'http') throw new UsageError(`INTERLOCK_PLATFORM_KIND is "${kind}": write http or router.`)
  const at = (path: string): string => new URL(path, url).href
  return httpPlatform({
    observeUrl: at('/state'),
    readyUrl: at('/ready'),
    applyUrl: at('/apply'),
    intent: fileIntent(join(stateFolder, 'intent.json')),
    ...(token === undefined ? {} : { token }),
  })
}
