import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Heartbeat, type KeyEntry, maxHeartbeatBytes, verifyHeartbeat } from '@interlock/contracts'
import { heartbeatPath } from '@interlock/runtime'

export interface DoorOptions {
  readonly host: string
  readonly port: number
  /** PEM. Null on the loopback only. */
  readonly tls: { readonly cert: string; readonly key: string } | null
  readonly keys: () => readonly KeyEntry[]
  /** Takes a verified heartbeat; a sentence where it is no news. */
  readonly take: (beat: Heartbeat) => string | null
  /** What `GET /v1/state` answers. */
  readonly state: () => unknown
}

export interface Door {
  readonly port: number
  close(): Promise<void>
}

const connectionsAtMost = 512
const requestWithinMs = 5_000

/** Listens for heartbeats. @throws Error when the port is taken, or the address is open to others without TLS */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const isLoopback = ['127.0.0.1', '::1', 'localhost'].includes(options.host)
  if (options.tls === null && !isLoopback) {
    throw new Error(
      `${options.host}: without TLS a watcher listens on 127.0.0.1 only; give it a certificate and its key`,
    )
  }
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(options, request).then(
      ({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        response.end(body === null ? undefined : JSON.stringify(body))
      },
      () => response.destroy(),
    )
  }
  const limits = {
    requestTimeout: requestWithinMs,
    headersTimeout: requestWithinMs,
    connectionsCheckingInterval: 1_000,
  }
  const server: Server =
    options.tls === null ? createPlain(limits, handle) : createTls({ ...limits, ...options.tls }, handle)
  server.maxConnections = connectionsAtMost
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function answer(options: DoorOptions, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '/').split('?')[0]
  if (path === '/healthz' && request.method === 'GET') return { status: 200, body: { ok: true } }
  if (path === '/v1/state' && request.method === 'GET') return { status: 200, body: options.state() }
  if (path !== heartbeatPath) return refused(404, `there is nothing at ${path?.slice(0, 100)}`)
  if (request.method !== 'POST') return refused(405, 'heartbeats are posted')
  const bytes = await bodyOf(request)
  if (bytes === null) return refused(413, `a heartbeat has at most ${maxHeartbeatBytes} bytes`)
  const verified = verifyHeartbeat(bytes, options.keys())
  if (!verified.ok) return refused(422, `${verified.reason}: ${verified.detail}`)
  const ignored = options.take(verified.value)
  return ignored === null ? { status: 204, body: null } : refused(409, ignored)
}

function refused(status: number, detail: string): Answer {
  return { status, body: { title: 'Not taken', detail } }
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > maxHeartbeatBytes) return null
    parts.push(part)
  }
  return Buffer.concat(parts)
}
