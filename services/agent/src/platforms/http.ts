import {
  digests,
  type Intent,
  type Platform,
  PlatformError,
  parseObserved,
  parseReadiness,
  requestJson,
} from '@interlock/client/agent'
import type { Hash } from '@interlock/contracts'

/**
 * Any platform behind three addresses: `observe` (GET → the observed state), `ready` (GET, `?target=`), `apply` (POST of
 * the signed command). Whether it has a compare-and-set is its own business, so an intent is on disk before each call.
 * A crash of the agent does not end the platform's work on a call, so what is observed afterwards is believed.
 */
export function httpPlatform(options: {
  readonly observeUrl: string
  readonly readyUrl: string
  readonly applyUrl: string
  readonly token?: string
  readonly intent: Intent
}): Platform {
  const token = options.token === undefined ? {} : { token: options.token }
  const observed = async (): Promise<Record<string, unknown>> => {
    const { status, body } = await requestJson(options.observeUrl, token)
    if (status !== 200) throw new PlatformError(`GET ${options.observeUrl} answered ${status}`)
    return body as Record<string, unknown>
  }
  return {
    kind: 'http',
    async observe() {
      return parseObserved(await observed(), options.observeUrl)
    },
    async targets() {
      const { targets } = await observed()
      return digests(targets, 'targets', options.observeUrl)
    },
    async ready(target: Hash) {
      const url = new URL(options.readyUrl)
      url.searchParams.set('target', target)
      return parseReadiness((await requestJson(url.href, token)).body, url.href)
    },
    async apply(desired, command, signed, ifVersion) {
      await options.intent.begin(command, desired)
      const { status, body } = await requestJson(options.applyUrl, {
        ...token,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'if-match': ifVersion },
        body: JSON.stringify({ command: new TextDecoder().decode(signed), desired, order: command.order }),
      })
      if (status === 409 || status === 412) {
        await options.intent.done()
        return 'conflict'
      }
      if (status < 200 || status > 299)
        return { refused: `${options.applyUrl} answered ${status}: ${JSON.stringify(body)?.slice(0, 200)}` }
      await options.intent.done()
      return 'applied'
    },
  }
}
