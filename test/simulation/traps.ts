import { type LogRecord, topics } from '@interlock/contracts'
import type { SimulatedPlace } from '@interlock/runtime'
import { deployments } from './cast.ts'
import type { Service } from './service.ts'
import type { Chance } from './streams.ts'
import type { World } from './world.ts'

interface Trap {
  readonly covers: (place: SimulatedPlace) => boolean
  readonly ms: number
}

/** Faults that wait for a moment: somebody dies a few milliseconds after an append, a call of a platform or a page has begun. */
export class Traps {
  /** What happens at the moment when a deployment's next command is out. */
  readonly withNextCommand = new Map<string, () => void>()
  private readonly world: World
  private readonly note: (row: string) => void
  private readonly armed = new Map<string, Trap>()

  constructor(world: World, note: (row: string) => void) {
    this.world = world
    this.note = note
    world.weather.onAppend = (place) => this.spring(place)
  }

  clear(): void {
    this.armed.clear()
    this.withNextCommand.clear()
    this.world.sink.onCall = () => {}
    for (const deployment of deployments) this.world.platform(deployment).onCall = () => {}
  }

  landed({ topic, key }: LogRecord): void {
    if (topic !== topics.commands) return
    const at = Buffer.from(key ?? []).toString()
    this.withNextCommand.get(at)?.()
    this.withNextCommand.delete(at)
  }

  atAppend(service: Service, row: string, covers: (place: SimulatedPlace) => boolean, chance: Chance): void {
    this.note(row)
    const { name } = service.process
    this.armed.set(name, { covers: (place) => place.process === name && covers(place), ms: chance.between(0, 9) })
  }

  atPlatform(chance: Chance): void {
    this.killAtCall(this.world.platform(chance.of(deployments)), 'F6 an agent killed at its platform', chance)
  }

  atPager(chance: Chance): void {
    this.killAtCall(this.world.sink, 'F5 killed while it pages', chance)
  }

  private killAtCall(called: Pick<World['sink'], 'onCall'>, row: string, chance: Chance): void {
    const ms = chance.between(0, 9)
    called.onCall = (process) => {
      called.onCall = () => {}
      this.note(row)
      const service = this.world.services.find((each) => each.process === process)
      this.world.simulation.after(ms, () => service?.kill(500))
    }
  }

  private spring(place: SimulatedPlace): void {
    const trap = this.armed.get(place.process)
    if (trap === undefined || !trap.covers(place)) return
    this.armed.delete(place.process)
    const service = this.world.services.find(({ process }) => process.name === place.process)
    this.world.simulation.after(trap.ms, () => service?.kill(300 + trap.ms * 200))
  }
}
