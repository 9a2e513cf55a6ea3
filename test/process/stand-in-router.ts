import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Hash, Observed } from '@interlock/contracts'

/** What the stand-in was told last: the state of the router's admin API, without its compare-and-set token. */
export type RouterState = Omit<Observed, 'version'>

export interface StandInRouter {
  readonly url: string
  /** Token that a change needs. */
  readonly token: string
  state(): RouterState
  /** Every state it was told, in order. */
  readonly told: readonly RouterState[]
  /** When it was told each of them, ms since 1970. */
  readonly toldAt: readonly number[]
  close(): void
}

/**
 * A router that serves nobody but keeps the admin API honestly: it answers what it was told, changes by compare-and-set
 * only, and refuses an artifact that it does not hold. For tests of everything but serving.
 *
 * @param loaded the versions whose artifacts it holds; the first one serves at the beginning
 */
export async function standInRouter(
  loaded: readonly { readonly name: string; readonly digest: Hash }[],
): Promise<StandInRouter> {
  const [first] = loaded
  if (first === undefined) throw new Error('a router needs an artifact to serve')
  const token = 'token-of-the-stand-in-router'
  const told: RouterState[] = []
  const toldAt: number[] = []
  let state: RouterState = {
    generation: 0,
    stable: first.digest,
    candidate: null,
    share: 0,
    shadow: false,
    fallback: false,
  }
  let revision = 1
  const etag = (): string => `"${revision}"`
  const holds = (digest: string | null): boolean => loaded.some((one) => one.digest === digest)

  const answer = async (request: IncomingMessage): Promise<readonly [status: number, body: unknown]> => {
    const url = new URL(request.url ?? '/', 'http://router')
    if (url.pathname === '/admin/ready') {
      const ready = holds(url.searchParams.get('target'))
      return [ready ? 200 : 503, { ready, checks: [{ name: 'loaded', ok: ready, detail: ready ? '' : 'not here' }] }]
    }
    if (request.method === 'PUT') {
      if (request.headers.authorization !== `Bearer ${token}`) return [401, { error: 'this needs the admin token' }]
      if (request.headers['if-match'] !== etag()) return [412, { etag: etag(), ...state }]
      const wish = (await bodyOf(request)) as RouterState
      const strange = [wish.stable, wish.candidate].find((digest) => digest !== null && !holds(digest))
      if (strange !== undefined) return [422, { error: `${strange} is not loaded here` }]
      state = wish
      revision++
      told.push(state)
      toldAt.push(Date.now())
    }
    return [200, { etag: etag(), ...state, loaded }]
  }
  const server: Server = createServer((request, response) => {
    answer(request)
      .catch((error: unknown) => [500, { error: String(error) }] as const)
      .then(([status, body]) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    state: () => state,
    told,
    toldAt,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Uint8Array[] = []
  for await (const part of request) parts.push(part as Uint8Array)
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown
}
