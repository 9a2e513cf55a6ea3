import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from './clock.ts'

interface Due {
  readonly at: number
  readonly order: number
  /** null once it is cancelled. */
  work: (() => void) | null
}

/** Events that are queued for one turn of Node's loop; what each wakes up runs before the next one all the same. */
const eventsPerTurn = 256

/**
 * Virtual time and one queue of events. The real shells run on it: whatever they await (log, sleep) is an event here,
 * so a run is a function of its seed and a minute takes a moment.
 */
export class Simulation {
  now: number
  /** Events that have happened. */
  events = 0
  private readonly queue: Due[] = []
  private scheduled = 0

  constructor(startMs = 1_000_000) {
    this.now = startMs
  }

  /** Runs `work` after `ms` of virtual time; equal times in the order of their scheduling. @returns what cancels it */
  after(ms: number, work: () => void): () => void {
    const due: Due = { at: this.now + Math.max(0, ms), order: this.scheduled++, work }
    this.push(due)
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
    await new Promise<void>((resolve, reject) => {
      let isOver = false
      const end = (error?: Error) => {
        isOver = true
        if (error) reject(error)
        else resolve()
      }
      const turn = () => {
        if (isOver) return
        if (settled) return end()
        try {
          if (!this.happen())
            return end(new Error(`simulation: at ${this.now} nothing is left to happen, yet work is not done`))
        } catch (error) {
          return end(error as Error)
        }
        if (this.now > limit) end(new Error(`simulation: the work is not done after ${limitMs} virtual ms`))
      }
      // Many events a turn of Node's loop, each an immediate of its own: Node runs all that a callback woke up (promises)
      // before the next immediate, so order is the same as with one a turn, at a third of the price.
      const batch = () => {
        for (let index = 0; index < eventsPerTurn; index++) setImmediate(turn)
        setImmediate(() => isOver || batch())
      }
      batch()
    })
    return work
  }

  /** The next event, and everything that it wakes up to its next await. @returns whether there was one. */
  async step(): Promise<boolean> {
    if (!this.happen()) return false
    await nextTurn()
    return true
  }

  /** How many events are still to come. */
  get scheduledNow(): number {
    return this.queue.reduce((count, { work }) => (work === null ? count : count + 1), 0)
  }

  process(name: string): SimulatedProcess {
    return new SimulatedProcess(this, name)
  }

  private happen(): boolean {
    let due = this.pop()
    while (due && !due.work) due = this.pop()
    if (!due?.work) return false
    this.now = due.at
    this.events += 1
    due.work()
    return true
  }

  private push(due: Due): void {
    const { queue } = this
    let at = queue.length
    queue.push(due)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (!isBefore(due, queue[parent]!)) break
      queue[at] = queue[parent]!
      at = parent
    }
    queue[at] = due
  }

  private pop(): Due | undefined {
    const { queue } = this
    const first = queue[0]
    const last = queue.pop()
    if (!first || !last || first === last) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= queue.length) break
      if (child + 1 < queue.length && isBefore(queue[child + 1]!, queue[child]!)) child += 1
      if (!isBefore(queue[child]!, last)) break
      queue[at] = queue[child]!
      at = child
    }
    queue[at] = last
    return first
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at
}

/** Something that runs in a simulation and can be stopped and woken (SIGSTOP, SIGCONT) or killed (SIGKILL). */
export class SimulatedProcess {
  readonly simulation: Simulation
  readonly name: string
  readonly clock: Clock
  /** How far its host's clock is from the truth, ms; may jump. Its monotonic clock counts from its own start. */
  skewMs = 0
  private state: 'running' | 'paused' | 'killed' = 'running'
  private held: (() => void)[] = []

  constructor(simulation: Simulation, name: string) {
    this.simulation = simulation
    this.name = name
    const startedAt = simulation.now
    this.clock = {
      now: () => Math.floor(simulation.now + this.skewMs),
      monotonic: () => simulation.now - startedAt,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve()
          const cancel = simulation.after(ms, () => {
            signal?.removeEventListener('abort', wake)
            this.deliver(resolve)
          })
          const wake = () => {
            cancel()
            resolve()
          }
          signal?.addEventListener('abort', wake, { once: true })
        }),
      after: (ms, work) => simulation.after(ms, () => this.deliver(work)),
    }
  }

  get isAlive(): boolean {
    return this.state !== 'killed'
  }

  get isRunning(): boolean {
    return this.state === 'running'
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
