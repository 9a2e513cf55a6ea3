import type { DetectorSetup } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { detectorFor } from './detectors/detectors.ts'
import { cell, paneMs, setupOf } from './detectors/panes.ts'
import { exp, ln } from './elementary.ts'
import { hits, rowsIn, seeded } from './seeded.ts'
import { lgamma } from './special.ts'
import { excessOf, moveWithoutOne, robustOf, type SourcePane, startWithoutOne } from './without-one.ts'

const firstSeed = 20_261_124
const seeds = 30
console.log(`sources: seeds ${firstSeed} to ${firstSeed + seeds - 1}`)

/** Parts of the traffic; the first source is the attacker's. */
const shares = [0.05, 0.25, 0.2, 0.2, 0.3]
const rowsAPane = 2_000
const candidateShare = 0.2
const limit = ln(2_000)

const errors = setupOf('errors', { detector: 'conditional-beta-binomial', tolerance: { harm: 0.2, safe: 0.5 } })
const origin = setupOf('distribution(origin)', {
  detector: 'dirichlet-two-sample',
  tolerance: { harm: 0.001, safe: 0 },
})

type Cells = { readonly now: Float64Array; readonly reference: Float64Array }
type Source = (pane: number, n: number, m: number, next: () => number) => Cells

const sumOf = (cells: readonly Float64Array[]): Float64Array =>
  cells.reduce((sum, each) => sum.map((count, index) => count + (each[index] as number)))

/** Panes until ln E of what stands without any one source, and of everything, reach the limit; one more than `panes` where never. */
function delays(setup: DetectorSetup, honest: Source, attacker: Source, seed: number, panes: number) {
  // A stream a source: what the others send does not depend on the attacker.
  const streams = shares.map((_, source) => seeded(seed * 100 + source))
  const detector = detectorFor(setup.guardrail.detector)
  let whole = detector.start(setup)
  let sources = startWithoutOne(detector, setup, shares.length)
  let ofWhole: number | null = null
  let ofRobust: number | null = null
  for (let pane = 0; pane < panes; pane++) {
    const parts = shares.map((share, source) => {
      const rows = Math.round(rowsAPane * share)
      const n = Math.round(rows * candidateShare)
      return (source === 0 ? attacker : honest)(pane, n, rows - n, streams[source] as () => number)
    })
    const of = {
      start: pane * paneMs,
      ms: paneMs,
      coverage: 1,
      now: sumOf(parts.map(({ now }) => now)),
      reference: sumOf(parts.map(({ reference }) => reference)),
    }
    whole = detector.update(setup, whole, of)
    sources = moveWithoutOne(detector, setup, sources, of, parts)
    const reading = detector.read(setup, whole)
    if (reading.logE.harm >= limit) ofWhole ??= pane + 1
    if ((robustOf(reading, sources)?.logE.harm ?? 0) >= limit) ofRobust ??= pane + 1
    if (ofRobust !== null && ofWhole !== null) break
  }
  return { robust: ofRobust ?? panes + 1, whole: ofWhole ?? panes + 1 }
}

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length
const overSeeds = (setup: DetectorSetup, honest: Source, attacker: Source, panes: number) => {
  const all = Array.from({ length: seeds }, (_, index) => delays(setup, honest, attacker, firstSeed + index, panes))
  return { robust: mean(all.map(({ robust }) => robust)), whole: mean(all.map(({ whole }) => whole)), all }
}

/** Errors at so many times 1 % in the candidate, and 1 % in the stable version. */
const failing =
  (ratio: number): Source =>
  (_, n, m, next) => ({ now: cell(n, hits(n, 0.01 * ratio, next)), reference: cell(m, hits(m, 0.01, next)) })

/** What a source may send to hide that the candidate fails: its stable rows fail, or its candidate rows are good. */
const hiding: Readonly<Record<string, Source>> = {
  'all stable rows fail': (_, n, m) => ({ now: cell(n), reference: cell(m, m) }),
  'half of the stable rows fail': (_, n, m) => ({ now: cell(n), reference: cell(m, m >> 1) }),
  '1 in 10 stable rows fails': (_, n, m, next) => ({ now: cell(n), reference: cell(m, hits(m, 0.1, next)) }),
  '1 in 20 stable rows fails': (_, n, m, next) => ({ now: cell(n), reference: cell(m, hits(m, 0.05, next)) }),
  'only good candidate rows': (_, n, m) => ({ now: cell(n + m), reference: cell(0) }),
  'every other four panes': (pane, n, m, next) =>
    pane % 8 < 4 ? failing(1)(pane, n, m, next) : { now: cell(n), reference: cell(m, hits(m, 0.3, next)) },
  'from the seventh pane on': (pane, n, m, next) =>
    pane < 6 ? failing(1.8)(pane, n, m, next) : { now: cell(n), reference: cell(m, hits(m, 0.2, next)) },
}

/** What a source may send to have a healthy candidate rolled back. */
const framing: Readonly<Record<string, Source>> = {
  'all candidate rows fail': (_, n, m) => ({ now: cell(n, n), reference: cell(m) }),
  '1 in 5 candidate rows fails': (_, n, m, next) => ({ now: cell(n, hits(n, 0.2, next)), reference: cell(m) }),
  'first the stable version, then the candidate': (pane, n, m) =>
    pane < 5 ? { now: cell(n), reference: cell(m, m) } : { now: cell(n, n), reference: cell(m) },
}

describe('a source with a twentieth of the rows', () => {
  test('does not delay a rollback by more than a tenth, whatever it sends to hide the harm', () => {
    const unattacked = overSeeds(errors, failing(1.8), failing(1.8), 60)
    // What the guard itself costs while nobody attacks: the rows of one small source.
    expect(unattacked.robust / unattacked.whole).toBeLessThan(1.12)
    for (const [shape, attacker] of Object.entries(hiding)) {
      const attacked = overSeeds(errors, failing(1.8), attacker, 60)
      expect(attacked.robust / unattacked.robust, shape).toBeLessThan(1.1)
    }
  })

  test('does hide the harm from the whole, so that the test above has something to show', () => {
    const { whole } = overSeeds(errors, failing(1.8), hiding['1 in 10 stable rows fails'] as Source, 50)
    expect(whole).toBeGreaterThan(40)
  })

  test('cannot have a healthy candidate rolled back, though the whole goes far beyond the limit', () => {
    for (const [shape, attacker] of Object.entries(framing)) {
      const { robust, whole } = overSeeds(errors, failing(1), attacker, 40)
      expect(robust, shape).toBe(41)
      expect(whole, shape).toBeLessThan(40)
    }
  })

  test('neither brings about nor hides a shift of a distribution', () => {
    const law = [0.5, 0.3, 0.2]
    const shifted = [0.44, 0.3, 0.26]
    const rows = (count: number, p: readonly number[], next: () => number) => cell(count, 0, rowsIn(count, p, next))
    const honest =
      (p: readonly number[]): Source =>
      (_, n, m, next) => ({ now: rows(n, p, next), reference: rows(m, law, next) })
    const unattacked = overSeeds(origin, honest(shifted), honest(shifted), 60)
    const hidden = overSeeds(
      origin,
      honest(shifted),
      (_, n, m, next) => ({ now: rows(n, [1, 0, 0], next), reference: rows(m, [0, 0, 1], next) }),
      60,
    )
    expect(hidden.robust / unattacked.robust).toBeLessThan(1.1)
    const framed = overSeeds(
      origin,
      honest(law),
      (_, n, m, next) => ({ now: rows(n, [0, 0, 1], next), reference: rows(m, law, next) }),
      30,
    )
    expect(framed.robust).toBe(31)
    expect(framed.whole).toBeLessThan(31)
  })
})

test('leaving the outlier of a pane out keeps the mean of the evidence at most 1: every deal of the events summed up', () => {
  const strict = setupOf('errors', { detector: 'conditional-beta-binomial', tolerance: { harm: 0, safe: 0.5 } })
  const detector = detectorFor('conditional-beta-binomial')
  const small = { n: 3, m: 3 }
  const others = { n: 40, m: 40 }
  for (const ofSmall of [0, 1, 3, 5, 6]) {
    for (const ofOthers of [0, 2, 9]) {
      let mass = 0
      let total = 0
      for (let a = Math.max(0, ofSmall - small.m); a <= Math.min(small.n, ofSmall); a++) {
        for (let b = 0; b <= ofOthers; b++) {
          const parts: readonly (SourcePane & Cells)[] = [
            { now: cell(small.n, a), reference: cell(small.m, ofSmall - a) },
            { now: cell(others.n, b), reference: cell(others.m, ofOthers - b) },
          ]
          const pane = {
            start: 0,
            ms: paneMs,
            coverage: 1,
            now: sumOf(parts.map(({ now }) => now)),
            reference: sumOf(parts.map(({ reference }) => reference)),
          }
          const after = moveWithoutOne(detector, strict, startWithoutOne(detector, strict, 2), pane, parts)
          const weight = deal(small, a, ofSmall) * deal(others, b, ofOthers)
          mass += weight
          total += weight * exp(after.guarded.reading.logE.harm)
        }
      }
      expect(mass).toBeCloseTo(1, 9)
      expect(total, `${ofSmall} and ${ofOthers} events`).toBeLessThanOrEqual(1 + 1e-9)
    }
  }
})

test('without a small source nothing is left out', () => {
  const detector = detectorFor('conditional-beta-binomial')
  const half = { now: cell(100, 9), reference: cell(100, 2) }
  const pane = { start: 0, ms: paneMs, coverage: 1, now: cell(200, 18), reference: cell(200, 4) }
  const state = moveWithoutOne(detector, errors, startWithoutOne(detector, errors, 2), pane, [half, half])
  expect(robustOf(detector.read(errors, detector.update(errors, detector.start(errors), pane)), state)).toBeNull()
})

test('the excess of a source is held against the stable rows of the others, which it cannot move', () => {
  const sums = [
    { n: 100, m: 100, events: 21, referenceEvents: 90 },
    { n: 1_000, m: 2_000, events: 10, referenceEvents: 20 },
  ]
  expect(excessOf(sums, 0)).toBe(20)
})

/** Chance that `k` of `events` fall to the candidate's `n` rows when they are dealt at random. */
function deal({ n, m }: { readonly n: number; readonly m: number }, k: number, events: number): number {
  const choose = (of: number, some: number): number => lgamma(of + 1) - lgamma(some + 1) - lgamma(of - some + 1)
  return exp(choose(n, k) + choose(m, events - k) - choose(n + m, events))
}
