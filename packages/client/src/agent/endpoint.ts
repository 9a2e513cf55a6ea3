import { timingSafeEqual } from 'node:crypto'
import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo } from 'node:net'
import { maxEnvelopeBytes } from '@interlock/contracts'
import type { Agent } from './agent.ts'
import { requestLimiter } from './rate.ts'

/** Where an agent listens for the second path (docs/agent-protocol.md "Endpoint"). */
export interface EndpointOptions {
  readonly host: string
  readonly port: number
  /** PEM texts. Without them the endpoint speaks plain HTTP, and only a loopback address is allowed. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Whoever reads state or facts shows it as a bearer token; without one only loopback may read. */
  readonly readToken?: string
}

export interface Endpoint {
  readonly url: string
  close(): Promise<void>
}

/** A request that takes longer than this to arrive is ended. */
const requestMs = 10_000
const connectionsAtMost = 512
/** Most facts in one answer. */
const factsPerAnswer = 256

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/**
 * Serves `POST /v1/commands`, `GET /v1/state` and `GET /v1/facts?after=n`.
 *
 * A command needs no credential besides its signature. It goes through the checks and the order law of the topic.
 *
 * @throws Error for an address that is not loopback without a certificate, or one that is taken.
 */
export async function openEndpoint(agent: Agent, options: EndpointOptions, monotonic: () => number): Promise<Endpoint> {
  const { host, port, tls } = options
  if (tls === undefined && !loopback.has(host)) {
    throw new Error(
      `The agent's endpoint cannot listen on ${host} without TLS: give it a certificate and key, or let it listen on 127.0.0.1.`,
    )
  }
  const mayGo = requestLimiter(monotonic)
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (mayGo(request.socket.remoteAddress ?? '')) void serve(agent, options, request, response)
    else answer(response, 429, { error: 'too many requests from this address; send the command again in a second' })
  }
  const bounds = { requestTimeout: requestMs, headersTimeout: requestMs, keepAliveTimeout: requestMs }
  const server: Server =
    tls === undefined
      ? createPlain(bounds, listener)
      : createSecure({ ...bounds, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' }, listener)
  server.maxConnections = connectionsAtMost
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(
  agent: Agent,
  { host, readToken }: EndpointOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://agent')
  const path = url?.pathname
  try {
    if (path === '/v1/commands') {
      if (request.method !== 'POST') return answer(response, 405, { error: 'POST a signed command here' })
      return await takeCommand(agent, request, response)
    }
    if (path !== '/v1/state' && path !== '/v1/facts')
      return answer(response, 404, { error: 'there are /v1/commands, /v1/state and /v1/facts here' })
    if (request.method !== 'GET') return answer(response, 405, { error: `GET ${path}` })
    if (!mayRead(request, host, readToken))
      return answer(response, 403, { error: 'state and facts need the bearer token of this agent' })
    if (path === '/v1/state') {
      return answer(response, 200, {
        v: 1,
        agent: agent.agent,
        environment: agent.environment,
        deployments: agent.state(),
      })
    }
    const after = Number(url?.searchParams.get('after') ?? 0)
    if (!Number.isSafeInteger(after) || after < 0)
      return answer(response, 400, { error: '"after" is the number of the last fact that you have, 0 for none' })
    const facts = agent.facts(after, factsPerAnswer)
    return answer(response, 200, {
      v: 1,
      facts: facts.map(({ n, envelope }) => ({ n, envelope: Buffer.from(envelope).toString('utf8') })),
    })
  } catch (error) {
    // Our own mistake, or a client that went away in the middle: the agent goes on.
    answer(response, 500, { error: error instanceof Error ? error.message : String(error) })
  }
}

async function takeCommand(agent: Agent, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const signed = await bodyOf(request)
  if (signed === 'oversized')
    return answer(response, 413, { error: `a command has at most ${maxEnvelopeBytes} bytes` }, true)
  const taken = await agent.take(signed)
  if ('refused' in taken) return answer(response, 422, { reason: taken.refused })
  answer(response, 200, taken)
}

/** The body, or that it is too long: then no more of it is read. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | 'oversized'> {
  if (Number(request.headers['content-length'] ?? 0) > maxEnvelopeBytes) return 'oversized'
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > maxEnvelopeBytes) return 'oversized'
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function mayRead(request: IncomingMessage, host: string, token: string | undefined): boolean {
  if (token === undefined) return loopback.has(host)
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

function answer(response: ServerResponse, status: number, body: unknown, close = false): void {
  if (response.headersSent || response.destroyed) return
  const text = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': text.length,
    'cache-control': 'no-store',
    ...(close ? { connection: 'close' } : {}),
  })
  response.end(text)
}
