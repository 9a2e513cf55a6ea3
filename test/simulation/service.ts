import type { SimulatedProcess } from '@interlock/runtime'
import type { Group } from './membership.ts'
import type { Chance } from './streams.ts'
import type { World } from './world.ts'

/** What runs in one process: parts that end when the signal says so, or fail. */
export type Build = (process: SimulatedProcess, signal: AbortSignal) => readonly Promise<void>[]

/** A service of which one process runs, is killed, sleeps, is told to end, and is started again by its supervisor. */
export class Service {
  readonly name: string
  readonly groups: readonly Group[]
  process: SimulatedProcess
  /** Since when the process runs without having been stopped; −1 while it does not. */
  runsSince = -1
  private readonly world: World
  private readonly build: Build
  private readonly chance: Chance
  private stop = new AbortController()
  private ended: Promise<unknown> = Promise.resolve()
  private starts = 0

  constructor(world: World, name: string, groups: readonly Group[], chance: Chance, build: Build) {
    this.world = world
    this.name = name
    this.groups = groups
    this.chance = chance
    this.build = build
    this.process = this.start()
  }

  start(): SimulatedProcess {
    const process = this.world.simulation.process(`${this.name}#${++this.starts}`)
    this.process = process
    this.stop = new AbortController()
    this.runsSince = this.world.simulation.now
    const ended = Promise.all(this.build(process, this.stop.signal))
    this.ended = ended
    ended.catch((error: Error) => {
      if (!process.isAlive) return
      this.world.failed(process.name, error)
      this.kill(this.chance.between(500, 2_000))
    })
    return process
  }

  get isRunning(): boolean {
    return this.process.isRunning && this.runsSince >= 0
  }

  /** SIGKILL, and a new process after a while. */
  kill(downMs: number): void {
    if (!this.process.isAlive) return
    this.world.tell(this.name, `${this.process.name} is killed`)
    this.process.kill()
    this.runsSince = -1
    for (const group of this.groups) group.fallsSilent(this.process)
    this.world.simulation.after(downMs, () => this.world.isOver || this.start())
  }

  /** SIGSTOP and, later, SIGCONT: a zombie meanwhile. */
  pause(ms: number): void {
    const { process } = this
    if (!process.isRunning) return
    this.world.tell(this.name, `${process.name} sleeps for ${Math.round(ms)} ms`)
    process.pause()
    this.runsSince = -1
    for (const group of this.groups) group.fallsSilent(process)
    this.world.simulation.after(ms, () => this.process === process && this.wake())
  }

  /** SIGCONT. */
  wake(): void {
    const { process } = this
    if (!process.isAlive || process.isRunning) return
    this.world.tell(this.name, `${process.name} wakes up`)
    process.resume()
    this.runsSince = this.world.simulation.now
    for (const group of this.groups) group.speaks(process)
  }

  /** SIGTERM: it must end in order, and soon. A new process follows. */
  async term(downMs: number): Promise<boolean> {
    const { process } = this
    if (!process.isRunning) return true
    this.world.tell(this.name, `${process.name} is told to end`)
    const endedBy = this.ended.then(
      () => true,
      () => true,
    )
    this.stop.abort()
    const late = new Promise<boolean>((resolve) => this.world.simulation.after(10_000, () => resolve(false)))
    const inTime = await Promise.race([endedBy, late])
    if (this.process !== process) return true
    this.kill(downMs)
    return inTime
  }

  /** Ends it in order and for good. */
  async end(): Promise<void> {
    if (this.process.isAlive && !this.process.isRunning) this.process.resume()
    this.stop.abort()
    await this.ended.catch(() => {})
  }
}
