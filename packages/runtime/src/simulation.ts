import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from './clock.ts'

interface Due {
  readonly at: number
  readonly order: number
  /** null once it is cancelled. */
  work: (() => void) | null
}

/**
 * Virtual time and one queue of events. The real shells run on it: whatever they await (log, sleep) is an event here,
 * so a run is a function of its seed and a minute takes a moment.
 */
export class Simulation {
  now: number
  private readonly queue: Due[] = []
  private scheduled = 0

  constructor(startMs = 1_000_000) {
    this.now = startMs
  }

  /** Runs `work` after `ms` of virtual time; equal times in the order of their scheduling. @returns what cancels it */
  after(ms: number, work: () => void): () => void {
    const due: Due = { at: this.now + Math.max(0, ms), order: this.scheduled++, work }
    let low = 0
    let high = this.queue.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.queue[middle]!
      // Latest first, so that the next event is popped from the end.
      if (other.at > due.at || (other.at === due.at && other.order < due.order)) low = middle + 1
      else high = middle
    }
    this.queue.splice(low, 0, due)
    return () => {
      due.work = null
    }
  }

  /** Runs events until `work` settles or virtual time passes `limitMs` from now (then it throws). */
  async run<T>(work: Promise<T>, limitMs: number): Promise<T> {
    const limit = this.now + limitMs
    let settled = false
    const done = () => {
      settled = true
    }
    work.then(done, done)
    await nextTurn()
    while (!settled) {
      if (!(await this.step()))
        throw new Error(`simulation: at ${this.now} nothing is left to happen, yet work is not done`)
      if (this.now > limit) throw new Error(`simulation: the work is not done after ${limitMs} virtual ms`)
    }
    return work
  }

  /** The next event, and everything that it wakes up to its next await. @returns whether there was one. */
  async step(): Promise<boolean> {
    let due = this.queue.pop()
    while (due && !due.work) due = this.queue.pop()
    if (!due?.work) return false
    this.now = due.at
    due.work()
    await nextTurn()
    return true
  }

  process(name: string): SimulatedProcess {
    return new SimulatedProcess(this, name)
  }
}

/** Something that runs in a simulation and can be stopped and woken (SIGSTOP, SIGCONT) or killed (SIGKILL). */
export class SimulatedProcess {
  readonly simulation: Simulation
  readonly name: string
  readonly clock: Clock
  private state: 'running' | 'paused' | 'killed' = 'running'
  private held: (() => void)[] = []

  constructor(simulation: Simulation, name: string) {
    this.simulation = simulation
    this.name = name
    this.clock = {
      now: () => Math.floor(simulation.now),
      monotonic: () => simulation.now,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve()
          const cancel = simulation.after(ms, () => this.deliver(resolve))
          const wake = () => {
            cancel()
            resolve()
          }
          signal?.addEventListener('abort', wake, { once: true })
        }),
    }
  }

  /** An answer or a timer reaches the process: now, once it is woken, or never. */
  deliver(work: () => void): void {
    if (this.state === 'running') work()
    else if (this.state === 'paused') this.held.push(work)
  }

  pause(): void {
    if (this.state === 'running') this.state = 'paused'
  }

  resume(): void {
    if (this.state !== 'paused') return
    this.state = 'running'
    const held = this.held
    this.held = []
    for (const work of held) this.simulation.after(0, () => this.deliver(work))
  }

  kill(): void {
    this.state = 'killed'
    this.held = []
  }
}
