import type { Message } from '@interlock/notifier'
import type { SimulatedProcess } from '@interlock/runtime'
import type { Chance } from './streams.ts'

/** Where people hear of alerts. */
export class Sink {
  mood: 'well' | 'slow' | 'away' = 'well'
  private readonly chance: Chance
  private readonly waiting = new Map<string, number>()
  readonly delivered = new Map<string, number>()
  /** Deliveries that have begun and not come. */
  underWay = 0
  /** Told of each delivery as it begins: a world may kill the notifier right there. */
  onCall: (process: SimulatedProcess) => void = () => {}

  constructor(chance: Chance) {
    this.chance = chance
  }

  latencyMs(): number {
    return this.mood === 'slow' ? this.chance.between(1_000, 20_000) : this.chance.between(1, 20)
  }

  due(id: string, at: number): void {
    if (!this.delivered.has(id) && !this.waiting.has(id)) this.waiting.set(id, at)
  }

  begins(process: SimulatedProcess): void {
    this.underWay += 1
    this.onCall(process)
  }

  takes({ id }: Message): boolean {
    this.underWay -= 1
    if (this.mood === 'away') return false
    this.delivered.set(id, (this.delivered.get(id) ?? 0) + 1)
    this.waiting.delete(id)
    return true
  }

  /** Alerts that were published and never came. */
  get missing(): readonly string[] {
    return [...this.waiting.keys()]
  }
}
