/** The shell's own time: deadlines, ticks, backoff. Never reaches a processor, which knows log time only. */
export interface Clock {
  /** Milliseconds since 1970. May jump; for records and people. */
  now(): number
  /** Milliseconds since some moment of this process. Never goes back; for deadlines. */
  monotonic(): number
  /** Resolves after `ms`, or at once when `signal` is aborted. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}

/** An await on the log that took longer than our own deadline. What it was about may still happen. */
export class DeadlineExceeded extends Error {
  constructor(what: string, ms: number) {
    super(`${what}: no answer within ${ms} ms`)
    this.name = 'DeadlineExceeded'
  }
}

/** Why a timer that nobody waits for any more is ended: a reason of ours, since Node's own takes a stack trace each time. */
const settledReason = 'settled'

/** A client that hangs is worse than one that fails: every await on a log goes through here. */
export async function within<T>(clock: Clock, ms: number, what: string, work: Promise<T>): Promise<T> {
  const settled = new AbortController()
  const late = clock.sleep(ms, settled.signal).then(() => {
    if (!settled.signal.aborted) throw new DeadlineExceeded(what, ms)
    return work
  })
  try {
    return await Promise.race([work, late])
  } finally {
    settled.abort(settledReason)
    work.catch(() => {}) // after the deadline nobody listens any more; the caller has been told
    late.catch(() => {})
  }
}
