import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

/**
 * The inner modules of KafkaJS 2.2.4 that the adapter stands on, with the parts of their shape that it uses. KafkaJS has
 * no way to fetch a partition without a group, so its connections are used directly; kafkajs-internals.test.ts pins every
 * file of the list by its hash.
 */
export const internalFiles = [
  'broker/index.js',
  'cluster/brokerPool.js',
  'cluster/connectionPoolBuilder.js',
  'cluster/index.js',
  'network/connection.js',
  'network/connectionPool.js',
  'network/requestQueue/index.js',
  'network/requestQueue/socketRequest.js',
  'network/socket.js',
  'protocol/error.js',
  'protocol/request.js',
  'retry/index.js',
] as const

export interface InternalRequest<T> {
  readonly request: {
    readonly apiKey: number
    readonly apiName: string
    readonly apiVersion: number
    /** KafkaJS asks for an encoder of its own and uses these two fields of it. */
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>
  }
  readonly response: {
    decode(payload: Buffer): Promise<{ readonly clientSideThrottleTime: number; readonly answer: T }>
    parse(decoded: { readonly answer: T }): Promise<T>
  }
  readonly requestTimeout?: number
  readonly logResponseError?: boolean
}

export interface InternalConnection {
  socket?: Socket
  /** Set while SASL talks; its answers are framed by the stock code. */
  authHandlers: { onError(): void } | null
  readonly requestQueue: {
    readonly pending: readonly unknown[]
    fulfillRequest(answer: { correlationId: number; payload: Buffer; size: number }): void
    scheduleCheckPendingRequests(): void
  }
  processData(chunk: Buffer): void
  isConnected(): boolean
  connect(): Promise<unknown>
  disconnect(): Promise<unknown>
  send<T>(request: InternalRequest<T>): Promise<T>
  rejectRequests(error: Error): void
  getSupportAuthenticationProtocol(): boolean | null
}

export interface InternalPool {
  readonly host: string
  readonly port: number
  readonly pool: readonly InternalConnection[]
  setVersions(versions: unknown): void
  setSupportAuthenticationProtocol(supported: boolean | null): void
}

export interface InternalBroker {
  readonly nodeId: number
  readonly versions: unknown
  readonly connectionPool: InternalPool
}

export interface InternalCluster {
  readonly connectionPoolBuilder: {
    build(at?: { host: string; port: number }): Promise<InternalPool>
  }
  readonly brokerPool: {
    readonly metadata: {
      readonly topicMetadata: readonly {
        readonly topic: string
        readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[]
      }[]
    } | null
    refreshMetadata(topics: readonly string[]): Promise<unknown>
    findBroker(of: { nodeId: number }): Promise<InternalBroker>
  }
  connect(): Promise<void>
}

export interface InternalLogger {
  namespace(): InternalLogger
  readonly info: (message: string, extra?: object) => void
  readonly error: (message: string, extra?: object) => void
  readonly warn: (message: string, extra?: object) => void
  readonly debug: (message: string, extra?: object) => void
}

const load = createRequire(import.meta.url)

/** KafkaJS itself. Loaded when it is first needed: a sixth of a second that an embedded Interlock does not pay. */
export function kafkajs(): typeof import('kafkajs') {
  stopNegativeTimers()
  return load('kafkajs')
}

interface InternalQueue {
  throttledUntil: number
  scheduleCheckPendingRequests(): void
}

/** As KafkaJS waits where requests are pending and nothing throttles. */
const checkPendingMs = 10
let areTimersRight = false
/** Its queue of requests waits "until −1" when no broker throttles it, and Node warns of the negative time on stderr. */
function stopNegativeTimers(): void {
  if (areTimersRight) return
  areTimersRight = true
  const { prototype } = load('kafkajs/src/network/requestQueue/index.js') as { prototype: InternalQueue }
  const stock = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: InternalQueue) {
    const until = this.throttledUntil
    this.throttledUntil = Math.max(until, Date.now() + checkPendingMs)
    stock.call(this)
    this.throttledUntil = until
  }
}

export function newCluster(options: object): InternalCluster {
  const Cluster = load('kafkajs/src/cluster/index.js') as new (options: object) => InternalCluster
  return new Cluster(options)
}

/** The error that KafkaJS makes of a broker's code; `type` is its name in the protocol. */
export function brokerError(code: number): Error {
  const errors = load('kafkajs/src/protocol/error.js') as { createErrorFromCode(code: number): Error }
  return errors.createErrorFromCode(code)
}
