import {
  digests,
  following,
  type Platform,
  PlatformError,
  parseObserved,
  parseReadiness,
  requestJson,
} from '@interlock/client/agent'
import type { Hash } from '@interlock/contracts'

/**
 * A router with the small admin API of examples/flights: `GET /admin/state`, `PUT /admin/state` with `If-Match`
 * (compare-and-set on the state's etag), `GET /admin/ready?target=`.
 */
export function routerPlatform(options: { readonly url: string; readonly token: string }): Platform {
  const { token } = options
  const stateUrl = new URL('/admin/state', options.url).href
  const state = async (): Promise<Record<string, unknown>> => {
    const { status, body } = await requestJson(stateUrl, { token })
    if (status !== 200)
      throw new PlatformError(`GET ${stateUrl} answered ${status}: ${JSON.stringify(body)?.slice(0, 200)}`)
    return body as Record<string, unknown>
  }
  return {
    kind: 'router',
    async observe() {
      return parseObserved(await state(), stateUrl)
    },
    async targets() {
      return digests((await state()).loaded, 'loaded', stateUrl)
    },
    async ready(target: Hash) {
      const url = new URL(`/admin/ready?target=${target}`, options.url).href
      const { body } = await requestJson(url, { token })
      return parseReadiness(body, url)
    },
    async apply(desired, command, _signed, ifVersion) {
      const { status, body } = await requestJson(stateUrl, {
        method: 'PUT',
        token,
        headers: { 'content-type': 'application/json', 'if-match': ifVersion },
        body: JSON.stringify(following(desired, command.order)),
      })
      if (status === 200) return 'applied'
      if (status === 412) return 'conflict'
      return { refused: `the router answered ${status}: ${JSON.stringify(body)?.slice(0, 200)}` }
    },
  }
}
