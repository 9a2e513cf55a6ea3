import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '@interlock/runtime'

interface Timer {
  readonly at: number
  readonly fire: () => void
}

/** Turns of Node's loop without anything under way, after which nothing more will happen at this time. */
const quietTurns = 4

/** Time that stands still until everything that can happen at it has happened. */
export class VirtualClock implements Clock {
  private time: number
  private readonly timers = new Set<Timer>()

  constructor(startMs: number) {
    this.time = startMs
  }

  // Bound: a clock's functions are handed about by themselves.
  readonly now = (): number => this.time
  readonly monotonic = (): number => this.time

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted || ms <= 0) return resolve()
      const timer: Timer = {
        at: this.time + ms,
        fire: () => {
          this.timers.delete(timer)
          signal?.removeEventListener('abort', timer.fire)
          resolve()
        },
      }
      this.timers.add(timer)
      signal?.addEventListener('abort', timer.fire, { once: true })
    })

  readonly after = (ms: number, work: () => void): (() => void) => {
    const timer: Timer = {
      at: this.time + ms,
      fire: () => {
        this.timers.delete(timer)
        work()
      },
    }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }

  /** Moves on, timer by timer, and lets each do what it does. */
  async advance(ms: number, isBusy: () => boolean): Promise<void> {
    const end = this.time + ms
    await settled(isBusy)
    for (;;) {
      const next = Math.min(...[...this.timers].map(({ at }) => at))
      if (next > end) break
      this.time = Math.max(this.time, next)
      for (const timer of [...this.timers]) if (timer.at <= this.time) timer.fire()
      await settled(isBusy)
    }
    this.time = end
  }
}

/** Resolves when nothing has been under way for some turns of the loop. */
export async function settled(isBusy: () => boolean): Promise<void> {
  for (let quiet = 0; quiet < quietTurns; ) {
    if (isBusy()) {
      quiet = 0
      await pause(1)
    } else {
      quiet += 1
      await nextTurn()
    }
  }
}
