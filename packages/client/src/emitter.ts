import type { EventKind, Events } from '@interlock/contracts'
import { encodeBatch, eventsInMessage, type Format, type Message } from './encode-batch.ts'
import { type Registry, registerSchema, SchemaRefused } from './register-schema.ts'

export interface EmitterOptions<Kind extends EventKind> {
  /** Where Interlock listens, `http://127.0.0.1:7070`. Batches go to `<url>/ingest/<topic>`. */
  readonly url: string
  readonly topic: string
  readonly kind: Kind
  readonly token?: string
  readonly format?: Format
  /** Of format `avro`: where schemas are registered before the first message. Absent: messages name Interlock's own ids. */
  readonly registry?: Registry
  /** Events that may wait; more are dropped and counted. */
  readonly maxBuffered?: number
  /** Longest time that an event waits for others to fill its message, ms. */
  readonly lingerMs?: number
  /** Tries of one message before its events are given up as lost. */
  readonly maxTries?: number
  readonly fetch?: typeof fetch
  readonly clock?: EmitterClock
  /** Uniform in [0, 1): spreads the retries of many producers. */
  readonly random?: () => number
}

export interface EmitterClock {
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** What became of the events: emitted = sent + waiting + the sum of `dropped`. */
export interface EmitterCounts {
  readonly emitted: number
  readonly sent: number
  readonly waiting: number
  readonly retries: number
  readonly dropped: Readonly<Record<Drop, number>>
  /** The last thing that went wrong, in words; null while all is well. */
  readonly problem: string | null
}
/**
 * full: pushed out by newer ones. invalid: cannot be encoded. refused: Interlock said no. lost: no answer after all
 * tries. closed: came after `close`.
 */
export type Drop = 'full' | 'closed' | 'invalid' | 'refused' | 'lost'

type Answer = 'taken' | 'refused' | 'later'

const defaults = { format: 'arrow', maxBuffered: 10_000, lingerMs: 100, maxTries: 8 } as const
const backoff = { firstMs: 100, longestMs: 10_000 }
const requestMs = 5_000
/** Same as the largest message that Interlock takes. */
const maxMessageBytes = 1 << 20

/**
 * Sends events to Interlock beside a service's own work. `emit` never throws and never waits. When there is no room the
 * oldest event is dropped and counted, for it would arrive after its pane closed. Messages go one at a time, in order; a
 * retry may send an event twice, which Interlock measures. Events that wait keep the process alive until they are sent
 * or given up.
 */
export class Emitter<Kind extends EventKind = 'prediction'> {
  readonly #options: EmitterOptions<Kind>
  readonly #inMessage: number
  readonly #fetch: typeof fetch
  readonly #clock: EmitterClock
  readonly #waiting: Events[Kind][] = []
  readonly #dropped: Record<Drop, number> = { full: 0, closed: 0, invalid: 0, refused: 0, lost: 0 }
  /** Aborted when nothing is waited for any more: the deadline of `close` has passed. */
  readonly #hurry = new AbortController()
  /** Aborted when the message under way need not wait for more events. */
  #fill = new AbortController()
  #emitted = 0
  #sent = 0
  #retries = 0
  #problem: string | null = null
  #schemaId: number | undefined
  #closed = false
  #flushes = 0
  /** The message under way, or null when nothing waits. */
  #message: Promise<void> | null = null

  constructor(options: EmitterOptions<Kind>) {
    this.#options = options
    this.#inMessage = eventsInMessage[options.format ?? defaults.format]
    this.#fetch = options.fetch ?? fetch
    this.#clock = options.clock ?? systemClock
  }

  /** @returns false when the emitter is closed, and the event dropped. */
  emit(event: Events[Kind]): boolean {
    this.#emitted++
    if (this.#closed) {
      this.#drop('closed', 1, 'the emitter is closed')
      return false
    }
    this.#waiting.push(event)
    const room = this.#options.maxBuffered ?? defaults.maxBuffered
    if (this.#waiting.length > room) {
      this.#waiting.shift()
      this.#drop('full', 1, `more than ${room} events wait`)
    }
    if (this.#waiting.length >= this.#inMessage) this.#fill.abort()
    if (!this.#message) void this.#run()
    return true
  }

  counts(): EmitterCounts {
    const waiting = this.#emitted - this.#gone()
    const [sent, retries, dropped] = [this.#sent, this.#retries, { ...this.#dropped }]
    return { emitted: this.#emitted, sent, waiting, retries, dropped, problem: this.#problem }
  }

  /** Resolves when each event that was emitted so far is sent or dropped. */
  async flush(): Promise<void> {
    const until = this.#emitted
    this.#flushes++
    while (this.#message && this.#gone() < until) {
      this.#fill.abort()
      await this.#message
    }
    this.#flushes--
  }

  /** Takes no more events, sends what waits for at most `deadlineMs`, and counts the rest as lost. */
  async close(deadlineMs = requestMs): Promise<void> {
    this.#closed = true
    const done = new AbortController()
    const deadline = this.#clock.sleep(deadlineMs, done.signal).then(() => this.#hurry.abort())
    await this.flush()
    done.abort()
    await deadline
  }

  /** Sends messages until nothing waits. Nothing in it throws: what fails is counted. */
  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#message = this.#linger().then(() => this.#deliver(this.#waiting.splice(0, this.#inMessage)))
      await this.#message
    }
    this.#message = null
  }

  async #linger(): Promise<void> {
    if (this.#waiting.length >= this.#inMessage || this.#flushes > 0) return
    this.#fill = new AbortController()
    await this.#clock.sleep(this.#options.lingerMs ?? defaults.lingerMs, this.#fill.signal)
  }

  async #deliver(batch: readonly Events[Kind][]): Promise<void> {
    const { registry } = this.#options
    if (registry && this.#schemaId === undefined) {
      const answer = await this.#tryOften(() => this.#register(registry))
      if (answer !== 'taken') return this.#drop(answer, batch.length, this.#problem)
    }
    const message = this.#encode(batch)
    if (message && message.body.length <= maxMessageBytes) return this.#send(message, batch.length)
    if (batch.length > 1) {
      const half = batch.length >> 1
      await this.#deliver(batch.slice(0, half))
      return this.#deliver(batch.slice(half))
    }
    this.#drop('invalid', batch.length, message ? `an event has ${message.body.length} bytes` : this.#problem)
  }

  /** @returns null when an event of the batch cannot be encoded; the caller finds out which. */
  #encode(batch: readonly Events[Kind][]): Message | null {
    try {
      return encodeBatch(this.#options.kind, this.#options.format ?? defaults.format, batch, this.#schemaId)
    } catch (error) {
      // Events come from the service's own code, which may hand over anything.
      this.#problem = `an event cannot be encoded: ${(error as Error).message}`
      return null
    }
  }

  async #send(message: Message, events: number): Promise<void> {
    const answer = await this.#tryOften(() => this.#post(message))
    if (answer === 'taken') this.#sent += events
    else this.#drop(answer, events, this.#problem)
  }

  async #tryOften(once: () => Promise<Answer>): Promise<'taken' | 'refused' | 'lost'> {
    const maxTries = this.#options.maxTries ?? defaults.maxTries
    for (let tries = 1; ; tries++) {
      const answer = await once()
      if (answer !== 'later') return answer
      if (tries >= maxTries || this.#hurry.signal.aborted) return 'lost'
      this.#retries++
      // Full jitter (Brooker, "Exponential Backoff and Jitter", 2015).
      const longest = Math.min(backoff.longestMs, backoff.firstMs * 2 ** (tries - 1))
      await this.#clock.sleep(longest * (this.#options.random ?? Math.random)(), this.#hurry.signal)
    }
  }

  async #register(registry: Registry): Promise<Answer> {
    const { kind, topic } = this.#options
    const signal = AbortSignal.any([AbortSignal.timeout(requestMs), this.#hurry.signal])
    try {
      this.#schemaId = await registerSchema(registry, kind, topic, { fetch: this.#fetch, signal })
      return 'taken'
    } catch (error) {
      this.#problem = (error as Error).message
      return error instanceof SchemaRefused ? 'refused' : 'later'
    }
  }

  async #post({ contentType, body }: Message): Promise<Answer> {
    const { url, topic, token } = this.#options
    try {
      const response = await this.#fetch(`${url.replace(/\/$/, '')}/ingest/${encodeURIComponent(topic)}`, {
        method: 'POST',
        headers: { 'content-type': contentType, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        body: body as Uint8Array<ArrayBuffer>,
        signal: AbortSignal.any([AbortSignal.timeout(requestMs), this.#hurry.signal]),
      })
      // The body is read so that the connection is free for the next message.
      const text = await response.text()
      if (response.ok) {
        this.#problem = null
        return 'taken'
      }
      this.#problem = `Interlock answered ${response.status}: ${text.slice(0, 200)}`
      return response.status >= 500 || response.status === 429 || response.status === 408 ? 'later' : 'refused'
    } catch (error) {
      // fetch fails with a TypeError or a timeout, an injected one with anything: the network is not ours.
      this.#problem = `Interlock does not answer: ${(error as Error).message}`
      return 'later'
    }
  }

  #drop(why: Drop, events: number, problem: string | null): void {
    this.#dropped[why] += events
    this.#problem = problem
  }

  #gone(): number {
    return Object.values(this.#dropped).reduce((sum, count) => sum + count, this.#sent)
  }
}

const systemClock: EmitterClock = {
  sleep(ms, signal) {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    })
  },
}
