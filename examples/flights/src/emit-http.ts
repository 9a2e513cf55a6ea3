import { setTimeout as sleep } from 'node:timers/promises'
import type { Emit, PredictionEvent } from './event.ts'

/** How events reach Interlock. */
export type HttpEmitterOptions = {
  /** `http://127.0.0.1:7070`; events go to `/ingest/predictions` below it. */
  readonly ingestUrl: string
  /** Sent as `authorization: Bearer`. */
  readonly token: string
}

/** What became of the events so far. */
export type EmitCounts = {
  /** Committed: the ingest answered 200 (it answers after its commit). */
  readonly delivered: number
  /** Waiting, the batch under way included. */
  readonly waiting: number
  /** Pushed out of the full buffer, oldest first. */
  readonly dropped: number
  /** Refused by the ingest as malformed (400, 413, 422); never sent again. */
  readonly refused: number
  /** Deliveries that were tried again. */
  readonly retries: number
  readonly lastError: string | null
}

/** An emitter with a buffer of its own. */
export type HttpEmitter = {
  readonly emit: Emit
  counts(): EmitCounts
  /** Sends what waits, for at most `ms`, then gives up what is left (counted as dropped). */
  close(ms: number): Promise<void>
}

const maxBatch = 1_000
const maxWaiting = 60_000
const lingerMs = 50
const requestTimeoutMs = 10_000
const backoffMs = { first: 50, most: 2_000 } as const

/**
 * Posts events in order, one batch in flight, at most 1,000 events a batch and at most 50 ms after the first of them.
 * A batch is tried again until it is committed or refused. At most 60,000 events wait: then the oldest are dropped and
 * counted, for they would arrive after their pane closed.
 */
export function createHttpEmitter({ ingestUrl, token }: HttpEmitterOptions): HttpEmitter {
  const url = `${ingestUrl.replace(/\/$/, '')}/ingest/predictions`
  const counts = { delivered: 0, dropped: 0, refused: 0, retries: 0, lastError: null as string | null }
  const closing = new AbortController()
  let waiting: PredictionEvent[] = []
  let inFlight = 0
  let loop: Promise<void> | undefined
  let isClosing = false

  async function deliver(): Promise<void> {
    if (!isClosing) await sleep(lingerMs)
    while (waiting.length > 0 && !closing.signal.aborted) {
      const batch = waiting.slice(0, maxBatch)
      waiting = waiting.slice(maxBatch)
      inFlight = batch.length
      const outcome = await post(batch)
      inFlight = 0
      counts[outcome] += batch.length
      if (waiting.length < maxBatch && waiting.length > 0 && !isClosing) await sleep(lingerMs)
    }
    loop = undefined // In the same turn as the check above, so that no event finds a loop that has ended.
  }

  async function post(batch: readonly PredictionEvent[]): Promise<'delivered' | 'refused' | 'dropped'> {
    const { contentType, body } = encodeEvents(batch)
    const headers = { 'content-type': contentType, authorization: `Bearer ${token}` }
    for (let pauseMs: number = backoffMs.first; ; pauseMs = Math.min(2 * pauseMs, backoffMs.most)) {
      try {
        const signal = AbortSignal.any([AbortSignal.timeout(requestTimeoutMs), closing.signal])
        const response = await fetch(url, { method: 'POST', headers, body, signal })
        const text = await response.text()
        if (response.status === 200) return 'delivered'
        counts.lastError = `${url} answered ${response.status}: ${text.slice(0, 200)}`
        if (response.status === 400 || response.status === 413 || response.status === 422) return 'refused'
      } catch (error) {
        counts.lastError = `${url}: ${reasonOf(error)}`
      }
      if (closing.signal.aborted) return 'dropped'
      counts.retries++
      await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined)
      if (closing.signal.aborted) return 'dropped'
    }
  }

  return {
    emit(events) {
      if (isClosing) {
        counts.dropped += events.length
        return
      }
      for (const event of events) waiting.push(event)
      const excess = waiting.length + inFlight - maxWaiting
      if (excess > 0) {
        waiting = waiting.slice(excess)
        counts.dropped += excess
      }
      loop ??= deliver()
    },
    counts: () => ({ ...counts, waiting: waiting.length + inFlight }),
    async close(ms) {
      isClosing = true
      loop ??= deliver()
      await Promise.race([loop, sleep(ms)])
      closing.abort()
      await loop
      counts.dropped += waiting.length
      waiting = []
    },
  }
}

/** Events as the ingest takes them. The only place that knows the encoding. */
export function encodeEvents(events: readonly PredictionEvent[]): { contentType: string; body: string } {
  return { contentType: 'application/json', body: JSON.stringify({ records: events }) }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
