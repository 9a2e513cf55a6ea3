import { sha256 } from '@interlock/contracts'
import { type Random, seededRandom } from '@interlock/runtime'

/**
 * Chance for one purpose of a run. Each purpose has a stream of its own, so that leaving one kind of fault out (as the shrinker
 * does) leaves the schedule of the others as it was.
 */
export class Chance {
  readonly random: Random

  constructor(seed: number, purpose: string) {
    this.random = seededRandom(Number.parseInt(sha256(`${seed} ${purpose}`).slice(0, 8), 16))
  }

  /** True so often. */
  is(probability: number): boolean {
    return this.random() < probability
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.random() * (high - low)
  }

  /** Whole number in [0, below). */
  below(count: number): number {
    return Math.floor(this.random() * count)
  }

  of<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('nothing to choose from')
    return item
  }
}
