import { type Clock, within } from '../clock.ts'
import { LogUnavailable, UnknownTopic } from '../event-log.ts'
import { cut, frameAnswers, reusingSockets } from './frames.ts'
import { brokerCode, innermost, verdictOf } from './kafka-errors.ts'
import { connectionTimeoutMs, type KafkaConnection, requestTimeoutMs, silentOr } from './kafka-options.ts'
import {
  type InternalBroker,
  type InternalCluster,
  type InternalConnection,
  type InternalPool,
  newCluster,
} from './kafkajs-internals.ts'

/** One request of ours. */
export interface Request<T> {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly body: Buffer
  /** Reads the answer behind the correlation id. */
  readonly decode: (answer: Buffer) => { readonly throttleMs: number; readonly answer: T }
  /** How long the broker may hold the answer back on purpose. */
  readonly heldMs?: number
}

/**
 * A broker answers the requests of one connection one after the other, so those that it may hold back have connections of
 * their own: a poll waits for records, and an append for its partition's other replicas. Appends have several, one append a
 * connection at a time, so that a slow partition holds up no other one.
 */
export type Lane = 'fetch' | 'poll' | 'append'

/** The broker that leads a partition. */
export interface Leader {
  readonly nodeId: number
  readonly broker: InternalBroker
  send<T>(lane: Lane, request: Request<T>): Promise<T>
}

const pauseMs = { first: 25, most: 400 } as const
/** A topic that was just made may not be known to every broker at once. */
const unknownTopicTries = 4
const metadataMaxAgeMs = 30_000
const initialRetryMs = 50
/** For appends, to one broker; opened when those before are all busy. */
const appendConnections = 8

/**
 * A client that is thrown away when it misbehaves. All work goes through `attempt`, which has a deadline, looks for the
 * new leader where one has moved, and makes a new client where the connection broke or hung.
 */
export class KafkaClient {
  private readonly options: KafkaConnection
  readonly clock: Clock
  private current: Generation | null = null
  private made = 0
  private readonly topics = new Map<string, { readonly leaders: ReadonlyMap<number, number>; readonly until: number }>()
  /** Told when the client is dropped: what hangs on it need not wait for its own deadline. */
  private readonly underway = new Set<(why: Error) => void>()
  private closed = false

  constructor(options: KafkaConnection, clock: Clock) {
    this.options = options
    this.clock = clock
  }

  /**
   * Tries until it is done, refused, or `deadline` (of the monotonic clock) has passed. A try that was given up goes on
   * by itself until it fails: `work` must bear that.
   *
   * @throws UnknownTopic, the broker's refusal, or LogUnavailable at the deadline
   */
  async attempt<T>(what: string, deadline: number, work: (client: this) => Promise<T>): Promise<T> {
    let pause: number = pauseMs.first
    for (let unknown = 0; ; ) {
      if (this.closed) throw new LogUnavailable(`${what}: the log is closed`)
      const left = deadline - this.clock.monotonic()
      const generation = this.current
      const dropped = Promise.withResolvers<never>()
      this.underway.add(dropped.reject)
      try {
        return await within(this.clock, Math.max(1, left), what, Promise.race([work(this), dropped.promise]))
      } catch (error) {
        if (this.closed) continue
        if (error instanceof UnknownTopic && ++unknown >= unknownTopicTries) throw error
        this.heed(error, generation, what)
        if (this.clock.monotonic() + pause >= deadline) {
          throw new LogUnavailable(`${what}: Kafka did not do it in time: ${innermost(error).message}`, error)
        }
      } finally {
        this.underway.delete(dropped.reject)
      }
      await this.clock.sleep(pause)
      pause = Math.min(pauseMs.most, pause * 2)
    }
  }

  /** Draws the consequence of an error for the client. @throws what no second try can mend */
  heed(error: unknown, generation: unknown, what: string): void {
    if (error instanceof UnknownTopic) {
      this.topics.clear()
      return
    }
    const replaced = generation !== null && generation !== this.current
    const verdict = verdictOf(error)
    if (verdict === 'refused' && !replaced) {
      if (brokerCode(error) === undefined) throw error
      throw new Error(`${what}: Kafka refuses: ${innermost(error).message} (${brokerCode(error)})`, { cause: error })
    }
    if (verdict === 'moved' || verdict === 'broken') this.topics.clear()
    if (verdict === 'broken' && !replaced) this.drop(error as Error)
  }

  /** Who leads the partition, connected. @throws UnknownTopic */
  async leader(topic: string, partition: number): Promise<Leader> {
    const leaders = await this.leaders(topic)
    const nodeId = leaders.get(partition)
    if (nodeId === undefined) throw new UnknownTopic(topic, partition)
    const generation = this.generation()
    const broker = await generation.cluster.brokerPool.findBroker({ nodeId })
    return { nodeId, broker, send: (lane, request) => generation.send(broker, lane, request) }
  }

  /** Node that leads each partition. @throws UnknownTopic */
  async leaders(topic: string): Promise<ReadonlyMap<number, number>> {
    const known = this.topics.get(topic)
    if (known && known.until > this.clock.monotonic()) return known.leaders
    const generation = this.generation()
    try {
      const leaders = await generation.leaders(topic)
      this.topics.set(topic, { leaders, until: this.clock.monotonic() + metadataMaxAgeMs })
      return leaders
    } catch (error) {
      if (brokerCode(error) === 'UNKNOWN_TOPIC_OR_PARTITION') throw new UnknownTopic(topic)
      throw error
    }
  }

  /** Asks for leaders and partitions anew. */
  forget(): void {
    this.topics.clear()
  }

  close(): void {
    this.closed = true
    this.drop(new LogUnavailable('the log is closed'))
  }

  private drop(why: Error): void {
    const dropped = this.current
    this.current = null
    dropped?.end(why)
    for (const reject of [...this.underway]) reject(why)
    if (!this.closed) this.options.logger?.info({ why: why.message }, 'makes a new Kafka client')
  }

  private generation(): Generation {
    if (this.closed) throw new LogUnavailable('the log is closed')
    this.current ??= new Generation(this.options, this.made++)
    return this.current
  }
}

/** One cluster object of KafkaJS and the connections that belong to it. */
class Generation {
  readonly cluster: InternalCluster
  private readonly ready: Promise<void>
  private readonly lines = new Map<InternalBroker, Promise<Lines>>()
  private readonly pools: InternalPool[] = []
  private readonly connecting = new Map<InternalConnection, Promise<unknown>>()
  private lookups: Promise<unknown> = Promise.resolve()
  private ended: Error | null = null

  constructor({ brokers, clientId, ssl, sasl, logger }: KafkaConnection, number: number) {
    const first = number % brokers.length
    this.cluster = newCluster({
      // Another broker first each time: one that is down must not be the only one that is asked.
      brokers: [...brokers.slice(first), ...brokers.slice(0, first)],
      clientId,
      ssl: ssl === true ? {} : ssl || null,
      // A copy: KafkaJS keeps the authenticator that it makes in the caller's object.
      sasl: sasl ? { ...sasl } : null,
      logger: silentOr(logger),
      socketFactory: reusingSockets,
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      retry: { retries: Math.max(1, brokers.length - 1), initialRetryTime: initialRetryMs },
      allowAutoTopicCreation: false,
    })
    const builder = this.cluster.connectionPoolBuilder
    const build = builder.build.bind(builder)
    builder.build = async (at) => {
      const pool = await build(at)
      for (const connection of pool.pool) frameAnswers(connection)
      this.pools.push(pool)
      if (this.ended) shut(pool, this.ended)
      return pool
    }
    this.ready = this.cluster.connect()
    this.ready.catch(() => {})
  }

  /** One lookup at a time: KafkaJS keeps the answer of the last one only. */
  leaders(topic: string): Promise<ReadonlyMap<number, number>> {
    const lookup = this.lookups.then(async () => {
      await this.ready
      await this.cluster.brokerPool.refreshMetadata([topic])
      const found = this.cluster.brokerPool.metadata?.topicMetadata.find((one) => one.topic === topic)
      return new Map(found?.partitionMetadata.map(({ partitionId, leader }) => [partitionId, leader]))
    })
    this.lookups = lookup.catch(() => {})
    return lookup
  }

  async send<T>(broker: InternalBroker, lane: Lane, request: Request<T>): Promise<T> {
    if (lane === 'fetch') return this.sendOn(broker.connectionPool.pool[1]!, request)
    const { poll, appends } = await this.linesTo(broker)
    if (lane === 'poll') return this.sendOn(poll, request)
    const connection = await appends.take()
    try {
      return await this.sendOn(connection, request)
    } finally {
      appends.giveBack(connection)
    }
  }

  end(why: Error): void {
    this.ended = why
    for (const pool of this.pools) shut(pool, why)
  }

  private async sendOn<T>(connection: InternalConnection, request: Request<T>): Promise<T> {
    // Who waited for a connection that was cut must not open it again.
    if (this.ended) throw this.ended
    if (!connection.isConnected()) await this.connect(connection)
    const { apiKey, apiName, apiVersion, body, decode, heldMs = 0 } = request
    return connection.send({
      request: { apiKey, apiName, apiVersion, encode: async () => ({ buf: body, buffer: body }) },
      response: {
        decode: async (payload) => {
          const { throttleMs, answer } = decode(payload)
          return { clientSideThrottleTime: throttleMs, answer }
        },
        parse: async ({ answer }) => answer,
      },
      requestTimeout: requestTimeoutMs + heldMs,
      logResponseError: false,
    })
  }

  private async connect(connection: InternalConnection): Promise<void> {
    // KafkaJS opens a second socket for a second caller, and forgets the first.
    const underway = this.connecting.get(connection) ?? connection.connect()
    this.connecting.set(connection, underway)
    try {
      await underway
    } finally {
      this.connecting.delete(connection)
    }
  }

  /** Connections are made here and opened when they are first used. */
  private linesTo(broker: InternalBroker): Promise<Lines> {
    const known = this.lines.get(broker)
    if (known) return known
    const made = this.makeLines(broker)
    this.lines.set(broker, made)
    return made
  }

  private async makeLines(broker: InternalBroker): Promise<Lines> {
    const { host, port, pool } = broker.connectionPool
    const connections: InternalConnection[] = []
    while (connections.length < 1 + appendConnections) {
      const more = await this.cluster.connectionPoolBuilder.build({ host, port })
      more.setVersions(broker.versions)
      more.setSupportAuthenticationProtocol(pool[0]!.getSupportAuthenticationProtocol())
      connections.push(...more.pool)
    }
    const [poll, ...appends] = connections as [InternalConnection, ...InternalConnection[]]
    return { poll, appends: new Idle(appends.slice(0, appendConnections)) }
  }
}

/** Ends the connections of a pool for good: KafkaJS tries again behind our back, and nobody would close what it opens. */
function shut(pool: InternalPool, why: Error): void {
  for (const connection of pool.pool) {
    connection.connect = () => Promise.reject(why)
    cut(connection, why)
  }
}

/** Connections to one broker beside the one for fetches. */
interface Lines {
  readonly poll: InternalConnection
  readonly appends: Idle
}

/** Connections on which nothing is under way. Who finds none is given the first that comes back. */
class Idle {
  private readonly connections: InternalConnection[]
  private readonly waiting: ((connection: InternalConnection) => void)[] = []

  constructor(connections: InternalConnection[]) {
    this.connections = connections
  }

  async take(): Promise<InternalConnection> {
    return this.connections.shift() ?? new Promise((resolve) => this.waiting.push(resolve))
  }

  giveBack(connection: InternalConnection): void {
    const next = this.waiting.shift()
    // The one used last first: the others need not be opened.
    if (next) next(connection)
    else this.connections.unshift(connection)
  }
}
