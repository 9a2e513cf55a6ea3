import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { LoadedModel } from './artifacts.ts'
import { isVersionFault, versionFaults } from './faults.ts'
import { BadRequest, parsePredictBody } from './flight-request.ts'
import { checkReadiness } from './readiness.ts'
import type { StateStore } from './router-state.ts'
import type { Serving } from './serving.ts'

/** What a router is made of. */
export type RouterOptions = {
  readonly loaded: readonly LoadedModel[]
  /** Versions whose artifact did not match its manifest. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[]
  readonly state: StateStore
  readonly serving: Serving
  /** Required as `authorization: Bearer …` by every request that changes something. */
  readonly adminToken: string
  /** Whether `PUT /admin/fault` exists. Demos and tests only. */
  readonly allowFaults: boolean
  /** What became of the events, shown at /admin/state. */
  readonly emitted: () => Readonly<Record<string, number | string | null>>
}

type Reply = { readonly status: number; readonly body: unknown; readonly etag?: string }

const maxBodyBytes = 256 * 1024

/**
 * The router's HTTP server, not yet listening. Bind it to 127.0.0.1 only.
 *
 * `POST /predict`, `GET|PUT /admin/state`, `GET /admin/ready?target=`, `GET|PUT /admin/fault`, `GET /healthz`.
 */
export function createRouter(options: RouterOptions): Server {
  const server = createServer((request, response) => {
    handle(options, request)
      .catch((error: unknown): Reply => {
        if (error instanceof BadRequest) return { status: 400, body: { error: error.message } }
        console.error('router: a request failed:', error)
        return { status: 500, body: { error: 'the router failed on this request; its log says why' } }
      })
      .then((reply) => send(response, reply))
  })
  server.keepAliveTimeout = 60_000
  return server
}

async function handle(options: RouterOptions, request: IncomingMessage): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://router')
  const path = url.pathname
  const route = `${request.method} ${path}`
  if (path.startsWith('/admin/') && !isLocalHost(request.headers.host)) {
    return { status: 403, body: { error: 'admin requests must be addressed to 127.0.0.1 or localhost' } }
  }
  switch (route) {
    case 'POST /predict': {
      const rows = parsePredictBody(await readJson(request))
      return { status: 200, body: { predictions: options.serving.answer(rows, options.state.state) } }
    }
    case 'GET /admin/state':
      return stateReply(options)
    case 'PUT /admin/state':
      return authorised(options, request) ?? replaceState(options, request)
    case 'GET /admin/ready': {
      const readiness = await checkReadiness(url.searchParams.get('target') ?? '', options.loaded)
      return { status: readiness.ready ? 200 : 503, body: readiness }
    }
    case 'GET /admin/fault':
      return { status: 200, body: { active: options.serving.activeFaults() } }
    case 'PUT /admin/fault':
      return authorised(options, request) ?? setFault(options, request)
    case 'GET /healthz':
      return { status: 200, body: { ok: true } }
    default:
      return { status: 404, body: { error: `the router has no ${route}` } }
  }
}

function stateReply(options: RouterOptions, status = 200): Reply {
  const { state, etag } = options.state
  const body = {
    etag,
    ...state,
    loaded: options.loaded.map(({ manifest }) => ({ name: manifest.name, digest: manifest.digest })),
    refused: options.refused,
    activeFaults: options.serving.activeFaults(),
    emitted: options.emitted(),
  }
  return { status, body, etag }
}

async function replaceState(options: RouterOptions, request: IncomingMessage): Promise<Reply> {
  const ifMatch = request.headers['if-match']
  if (ifMatch === undefined) {
    return { status: 428, body: { error: 'send If-Match with the etag of GET /admin/state' } }
  }
  const change = options.state.replace(ifMatch, await readJson(request))
  switch (change.kind) {
    case 'applied':
      return stateReply(options)
    case 'conflict':
      return stateReply(options, 412)
    case 'unknown-digest': {
      const error = `${change.digest} is not loaded here, so nothing was changed. Loaded versions are at GET /admin/state.`
      return { status: 422, body: { error } }
    }
    case 'malformed':
      return { status: 400, body: { error: `${change.reason}. Nothing was changed.` } }
  }
}

async function setFault(options: RouterOptions, request: IncomingMessage): Promise<Reply> {
  if (!options.allowFaults)
    return { status: 404, body: { error: 'faults are off; start the router with --allow-faults' } }
  const { fault, active } = ((await readJson(request)) ?? {}) as { fault?: unknown; active?: unknown }
  if (typeof active !== 'boolean') throw new BadRequest('active must be true or false')
  if (fault === 'none') for (const each of versionFaults) options.serving.setFault(each, false)
  else if (typeof fault === 'string' && isVersionFault(fault)) options.serving.setFault(fault, active)
  else {
    const error = `fault must be one of ${versionFaults.join(', ')}, none. "source" is injected in the traffic process.`
    return { status: 422, body: { error } }
  }
  return { status: 200, body: { active: options.serving.activeFaults() } }
}

function authorised(options: RouterOptions, request: IncomingMessage): Reply | undefined {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${options.adminToken}`)
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return undefined
  return {
    status: 401,
    body: { error: 'this needs authorization: Bearer and the admin token the router was started with' },
  }
}

function isLocalHost(host: string | undefined): boolean {
  return host !== undefined && /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of request) {
    size += (part as Uint8Array).length
    if (size > maxBodyBytes) throw new BadRequest(`the body is larger than ${maxBodyBytes} bytes`)
    parts.push(part as Uint8Array)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw new BadRequest('the body is no JSON')
  }
}

function send(response: ServerResponse, reply: Reply): void {
  const body = JSON.stringify(reply.body)
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(reply.etag === undefined ? {} : { etag: reply.etag }),
  })
  response.end(body)
}
