import type { AppendFate, SimulatedFaults, SimulatedPlace } from '@interlock/runtime'
import type { Chance } from './streams.ts'

/** A spell of bad weather over some places. */
export interface Spell {
  readonly covers: (place: SimulatedPlace) => boolean
  /** Hangs: nothing is answered in time. Refused: an error at once. Slow: answers take so long. */
  readonly what: 'hangs' | 'refused' | 'slow'
  /** Whether what is sent during a hang still lands: the answer alone is lost (a one-way partition). */
  readonly lands: boolean
}

const hangMs = 12_000

/** What the log's brokers and the network do just now. */
export class Weather implements SimulatedFaults {
  /** Appends may be unknown, late, doubled or lost. */
  appendsAreOdd = false
  leaderSkew: number | null = null
  readonly spells = new Set<Spell>()
  readonly fates = new Map<string, number>()
  /** Told of each append of a process. */
  onAppend: (place: SimulatedPlace) => void = () => {}
  private readonly chance: Chance

  constructor(chance: Chance) {
    this.chance = chance
  }

  calm(): void {
    this.appendsAreOdd = false
    this.leaderSkew = null
    this.spells.clear()
  }

  latencyMs = (place: SimulatedPlace): number => {
    const spell = this.over(place)
    if (spell?.what === 'slow') return this.chance.between(100, 900)
    if (spell?.what === 'hangs') return hangMs * this.chance.between(0.5, 1.5)
    return this.chance.between(0.3, 3)
  }

  isAway = (place: SimulatedPlace): boolean => {
    const spell = this.over(place)
    return spell !== undefined && spell.what !== 'slow'
  }

  leaderSkewMs = (): number | undefined => this.leaderSkew ?? undefined

  fate = (place: SimulatedPlace): AppendFate => {
    this.onAppend(place)
    const spell = this.over(place)
    const ms = spell?.what === 'slow' ? this.chance.between(100, 900) : this.chance.between(0.5, 4)
    if (spell?.what === 'refused') return { landAfterMs: [], answerAfterMs: ms, answer: 'unavailable' }
    if (spell?.what === 'hangs') {
      return { landAfterMs: spell.lands ? [ms] : [], answerAfterMs: hangMs, answer: 'unknown' }
    }
    const odd = this.appendsAreOdd ? this.oddFate(ms) : null
    return odd ?? { landAfterMs: [ms], answerAfterMs: ms + this.chance.between(0.3, 3), answer: 'position' }
  }

  private oddFate(ms: number): AppendFate | null {
    const dice = this.chance.random()
    const count = (name: string): void => {
      this.fates.set(name, (this.fates.get(name) ?? 0) + 1)
    }
    if (dice < 0.85) return null
    if (dice < 0.88) {
      count('unknown, landed')
      return { landAfterMs: [ms], answerAfterMs: ms + 1, answer: 'unknown' }
    }
    if (dice < 0.91) {
      count('unknown, lost')
      return { landAfterMs: [], answerAfterMs: ms, answer: 'unknown' }
    }
    if (dice < 0.94) {
      count('late')
      return { landAfterMs: [ms + this.chance.between(0, 9_000)], answerAfterMs: ms, answer: 'unknown' }
    }
    if (dice < 0.97) {
      count('doubled')
      return { landAfterMs: [ms, ms + this.chance.between(0, 3_000)], answerAfterMs: ms + 1, answer: 'position' }
    }
    if (dice < 0.98) {
      count('refused')
      return { landAfterMs: [], answerAfterMs: ms, answer: 'unavailable' }
    }
    count('answered past the deadline')
    return { landAfterMs: [ms], answerAfterMs: this.chance.between(3_000, 9_000), answer: 'position' }
  }

  private over(place: SimulatedPlace): Spell | undefined {
    for (const spell of this.spells) if (spell.covers(place)) return spell
    return undefined
  }
}
