import { following, type Platform } from '@interlock/client/agent'
import {
  type Command,
  canonicalJson,
  compareOrders,
  type DeploymentId,
  type Hash,
  type Observed,
  type Order,
  type VersionId,
} from '@interlock/contracts'
import type { SimulatedProcess, Simulation } from '@interlock/runtime'
import { digestOf, versionOf, versionWith } from './cast.ts'
import type { Chance } from './streams.ts'

/** How a serving platform behaves just now. */
export type Mood =
  | 'well'
  /** Calls take seconds. */
  | 'slow'
  /** Calls fail. */
  | 'away'
  /** It refuses to change. */
  | 'refuses'
  /** It says that it did, and says so again when it is asked; the traffic knows better. */
  | 'lies'
  /** The bytes of some artifacts are damaged. */
  | 'damaged'

/** One change that a platform made. */
export interface Change {
  readonly at: number
  readonly by: string
  readonly command: Command
  readonly before: Observed
  readonly after: Observed
  /** Artifacts of which it told the agent, since that looked last, that they are whole. */
  readonly whole: ReadonlySet<Hash>
}

/**
 * A serving platform with a compare-and-set. It lives in the world, so it survives its agents; each agent process talks to it
 * through a handle that dies with the process.
 */
export class ServingPlatform {
  readonly deployment: DeploymentId
  private moodNow: Mood = 'well'
  private moodSince = 0
  /** What it does. */
  state: Observed
  /** It says which order changed it last. */
  keepsOrder = false
  /** What it says when it lies. */
  pretended: Observed | null = null
  readonly changes: Change[] = []
  private readonly simulation: Simulation
  private readonly chance: Chance
  private revision = 0
  private readonly whole = new Map<string, Set<Hash>>()
  onChange: (change: Change) => void = () => {}
  /** Asked at each call: a world may kill the caller right there. */
  onCall: (process: SimulatedProcess) => void = () => {}

  constructor(simulation: Simulation, deployment: DeploymentId, chance: Chance) {
    this.simulation = simulation
    this.deployment = deployment
    this.chance = chance
    this.state = {
      version: '0',
      generation: 0,
      stable: digestOf(versionOf(deployment, 1)),
      candidate: null,
      share: 0,
      shadow: false,
      fallback: false,
    }
  }

  get mood(): Mood {
    return this.moodNow
  }
  set mood(mood: Mood) {
    this.moodNow = mood
    this.moodSince = this.simulation.now
  }

  /** How long it has been as it is, ms. */
  get moodMs(): number {
    return this.simulation.now - this.moodSince
  }

  /** Versions that answer now. */
  get serving(): { readonly stable: VersionId; readonly candidate: VersionId | null } {
    const { stable, candidate } = this.state
    return { stable: versionWith(stable), candidate: candidate === null ? null : versionWith(candidate) }
  }

  handle(process: SimulatedProcess): Platform {
    return {
      kind: 'simulated',
      observe: () =>
        this.call(process, () => {
          this.whole.set(process.name, new Set())
          return this.pretended ?? this.state
        }),
      targets: () =>
        this.call(process, () => {
          const { stable, candidate } = this.state
          const next = this.nextTargets()
          return [...new Set([stable, ...(candidate === null ? [] : [candidate]), ...next])]
        }),
      ready: (target) =>
        this.call(process, () => {
          const ok = this.mood !== 'damaged' || target === this.state.stable
          if (ok) this.whole.get(process.name)?.add(target)
          else this.whole.get(process.name)?.delete(target)
          return { ok, checks: [{ name: 'digest', ok, detail: ok ? 'whole' : 'bytes differ' }] }
        }),
      apply: (desired, command, _signed, ifVersion) =>
        this.call(process, () => {
          if (this.mood === 'refuses') return { refused: 'it is frozen' }
          if (ifVersion !== (this.pretended ?? this.state).version) return 'conflict'
          this.revision += 1
          const { order, ...followed } = following(desired, command.order)
          // Without its order an agent that is cut off could undo what another one did: a compare-and-set knows none.
          const after: Observed = {
            ...followed,
            ...(this.keepsOrder && order !== undefined ? { order } : {}),
            version: String(this.revision),
          }
          if (this.mood === 'lies') {
            this.pretended = after
            return 'applied'
          }
          const whole = new Set(this.whole.get(process.name))
          const change = { at: this.simulation.now, by: process.name, command, before: this.state, after, whole }
          this.state = after
          this.pretended = null
          this.changes.push(change)
          this.onChange(change)
          return 'applied'
        }),
    }
  }

  /** Ends a lie, and every other mood: what it does is what it says. */
  recover(): void {
    this.mood = 'well'
    if (this.pretended === null) return
    this.pretended = null
    this.revision += 1
    this.state = { ...this.state, version: String(this.revision) }
  }

  /** Highest order that ever changed it. */
  get highest(): Order | null {
    return this.changes.reduce<Order | null>(
      (most, { command }) => (most === null || compareOrders(command.order, most) > 0 ? command.order : most),
      null,
    )
  }

  /** Artifacts that lie ready before they are ordered: the two after the newest one. */
  private nextTargets(): readonly Hash[] {
    const { stable, candidate } = this.serving
    const number = Math.max(...[stable, candidate ?? stable].map((version) => Number(version.split('@v')[1])))
    return [number + 1, number + 2]
      .filter((each) => each <= 9)
      .map((each) => digestOf(versionOf(this.deployment, each)))
  }

  /** One call: its effect happens in the middle of its time, so a caller may die before, during and after it. */
  private call<Answer>(process: SimulatedProcess, work: () => Answer): Promise<Answer> {
    const ms = this.mood === 'slow' ? this.chance.between(500, 9_000) : this.chance.between(1, 8)
    this.onCall(process)
    return new Promise((resolve, reject) => {
      this.simulation.after(ms / 2, () => {
        if (this.mood === 'away') {
          this.simulation.after(ms / 2, () => process.deliver(() => reject(new Error('the platform does not answer'))))
          return
        }
        const answer = work()
        this.simulation.after(ms / 2, () => process.deliver(() => resolve(answer)))
      })
    })
  }
}

/** Whether two states say the same, their tokens aside. */
export function sameState(a: Observed, b: Observed): boolean {
  return canonicalJson({ ...a, version: '' }) === canonicalJson({ ...b, version: '' })
}
