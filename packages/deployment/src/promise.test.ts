import {
  type BaselineDocument,
  type CountSpec,
  contentHash,
  layoutOf,
  type Policy,
  packCounts,
} from '@interlock/contracts'
import { detectorFor } from '@interlock/statistics'
import { expect, test } from 'vitest'
import { blindSpot } from './blind-spot.ts'
import { limitOf } from './limit.ts'
import { promise } from './promise.ts'
import { guardrail, policy, v1 } from './sample.ts'

const spec: CountSpec = {
  v: 1,
  features: [{ kind: 'numeric', name: 'x', edges: [0, 1, 2, 3, 4], scale: 1 }],
  latencyEdgesMs: [0, 10, 100],
  scoreEdges: [],
  classes: [],
  segments: [],
  producers: ['a'],
}
const layout = layoutOf(spec)

function baseline(): BaselineDocument {
  const counts = new Float64Array(layout.width)
  counts[layout.rows] = 100_000
  for (let bin = 0; bin < 4; bin++) counts[layout.features[0]!.at + bin] = 25_000
  return {
    kind: 'baseline',
    version: v1,
    from: 'made up',
    spec,
    specHash: contentHash(spec),
    rows: 100_000,
    slices: [{ dimension: 'producer', value: 'a', counts: Buffer.from(packCounts(counts)).toString('base64') }],
    latencyLimitsMs: { p50: 10, p90: 10, p99: 10 },
    phi: {},
  }
}

const errors = guardrail('errors', { tolerance: { harm: 0, safe: 0.5 } })
const shape = guardrail('shape', {
  signal: 'distribution(x)',
  detector: 'dirichlet-two-sample',
  tolerance: { harm: 0.02, safe: 0 },
})
const stage = { name: 'canary', share: 0.5, shadow: false, minimumSample: 0, minimumMs: 0, maximumMs: 600_000 }
const rules: Policy = { ...policy([errors, shape]), stages: [stage] }
const traffic = { rowsPerHour: 360_000, errorRate: 0.01 }
const of = (found: ReturnType<typeof promise>, id: string) => found.find((one) => one.guardrail === id)!

test('more traffic, a longer stage and a larger share each show smaller harm', () => {
  const plain = promise(rules, baseline(), traffic)
  for (const better of [
    promise(rules, baseline(), { ...traffic, rowsPerHour: 3_600_000 }),
    promise({ ...rules, stages: [{ ...stage, maximumMs: 6_000_000 }] }, baseline(), traffic),
  ]) {
    for (const id of ['errors', 'shape']) {
      expect(of(better, id).smallest, id).toBeLessThan(of(plain, id).smallest as number)
      expect(of(plain, id).smallest).toBeGreaterThan(id === 'errors' ? 1 : 0.02)
    }
  }
  const thin = promise({ ...rules, stages: [{ ...stage, share: 0.02 }] }, baseline(), traffic)
  expect(of(thin, 'errors').smallest).toBeGreaterThan(of(plain, 'errors').smallest as number)
})

test('what is larger than the smallest harm is found sooner, and reaches fewer', () => {
  const { grosser, afterMs, answers } = of(promise(rules, baseline(), traffic), 'errors')
  expect(grosser.map(({ harm }) => harm)).toEqual([2, 5])
  expect(grosser[1]!.afterMs).toBeLessThan(grosser[0]!.afterMs as number)
  expect(grosser[0]!.afterMs).toBeLessThan(afterMs as number)
  expect(grosser[0]!.answers).toBeLessThan(answers as number)
})

test('a stage in which nobody stands beside the candidate, or hardly anybody asks, promises nothing', () => {
  const alone = promise({ ...rules, stages: [{ ...stage, share: 1 }] }, baseline(), traffic)
  expect(of(alone, 'errors')).toMatchObject({ sees: false, isAlone: true, smallest: null })
  const idle = promise(rules, baseline(), { ...traffic, rowsPerHour: 12 })
  expect(of(idle, 'errors')).toMatchObject({ sees: false, isAlone: false, smallest: null })
})

const both = { stable: baseline(), candidate: baseline() }

test('the first rule that is blind in a stage is the first that promises nothing there', () => {
  const named = (rowsPerHour: number, policyNow = rules) => {
    const spot = blindSpot(policyNow, both, { ...traffic, rowsPerHour })
    const blind = promise(policyNow, baseline(), { ...traffic, rowsPerHour }).find((one) => !one.sees && !one.isAlone)
    expect(spot?.guardrail).toBe(blind?.guardrail)
    return spot
  }
  expect(named(360_000)).toBeNull()
  expect(named(12)).toMatchObject({ guardrail: 'errors', stage: 'canary', stageMs: 600_000, seesAfterMs: null })
  const later = named(600)
  expect(later?.seesAfterMs).toBeGreaterThan(600_000)
  const longer = { ...rules, stages: [{ ...stage, maximumMs: later?.seesAfterMs as number }] }
  expect(named(600, longer)?.guardrail).not.toBe('errors')
})

test('what a policy accepts as blind is not asked, and a rule with nobody beside it is not blind', () => {
  const idle = { ...traffic, rowsPerHour: 12 }
  const accept = (...ids: string[]): Policy => ({
    ...rules,
    blind: ids.map((id) => ({ guardrail: id, reason: 'known' })),
  })
  expect(blindSpot(accept('errors'), both, idle)?.guardrail).toBe('shape')
  expect(blindSpot(accept('errors', 'shape'), both, idle)).toBeNull()
  expect(blindSpot({ ...rules, stages: [{ ...stage, share: 1 }] }, both, idle)).toBeNull()
})

test('what is held against training is held against that of the candidate, which may have seen more', () => {
  const trained = guardrail('shape', { ...shape, reference: 'baseline', detector: 'dirichlet-baseline' })
  const unseen = { ...baseline(), slices: [], rows: 0 }
  const of = (stable: BaselineDocument, candidate: BaselineDocument) =>
    blindSpot({ ...rules, guardrails: [trained] }, { stable, candidate }, traffic)
  expect(of(unseen, baseline())).toBeNull()
  expect(of(baseline(), unseen)).toMatchObject({ guardrail: 'shape', seesAfterMs: null })
})

test('a shadow answers nobody, so what it finds costs no answer', () => {
  const found = promise({ ...rules, stages: [{ ...stage, share: 0, shadow: true }] }, baseline(), traffic)
  expect(of(found, 'errors')).toMatchObject({ sees: true, answers: 0 })
})

test('a mean promises the rise, an amount the fall that it sees, from all traffic; both beyond what is tolerated', () => {
  const mean = guardrail('mean', {
    signal: 'mean(x)',
    reference: 'baseline',
    detector: 'binned-betting',
    tolerance: { harm: 0.02, safe: 0 },
    budget: { falsePerYear: 1 },
  })
  const amount = guardrail('amount', {
    signal: 'volume',
    reference: 'history',
    detector: 'poisson-shiryaev-roberts',
    tolerance: { harm: 0.3, safe: 0 },
    budget: { falsePerYear: 1 },
  })
  const found = promise({ ...policy([mean, amount]), stages: [stage] }, baseline(), traffic)
  expect(of(found, 'mean')).toMatchObject({ of: 'move', sees: true })
  expect(of(found, 'mean').smallest).toBeGreaterThan(0.02)
  expect(of(found, 'mean').smallest).toBeLessThan(0.1)
  expect(of(found, 'amount')).toMatchObject({ of: 'amount', sees: true, grosser: [] })
  const { afterMs, answers } = of(found, 'amount')
  expect(answers).toBe((stage.share * traffic.rowsPerHour * afterMs!) / 3_600_000)
  expect(of(found, 'amount').smallest).toBeGreaterThan(0.4)
  expect(of(found, 'amount').smallest).toBeLessThan(0.7)
})

test('the promised time is the median of 60 random courses within a quarter', () => {
  const rate = traffic.errorRate
  const own = (traffic.rowsPerHour / 3_600_000) * rules.times.paneMs * stage.share
  const promised = of(promise(rules, baseline(), traffic), 'errors').grosser[0]!.afterMs as number
  const detector = detectorFor('conditional-beta-binomial')
  const signal = {
    kind: 'rate' as const,
    id: 'errors',
    read: (counts: Float64Array) => ({ events: counts[0]!, trials: counts[1]! }),
  }
  const setup = { guardrail: errors, signal, baseline: null, phi: 1, paneMs: rules.times.paneMs }
  const next = random(5)
  const drawn = (p: number): number => Array.from({ length: own }, () => next() < p).filter(Boolean).length
  const panes = Array.from({ length: 60 }, () => {
    let state = detector.start(setup)
    for (let pane = 1; ; pane++) {
      const [now, reference] = [Float64Array.of(drawn(2 * rate), own), Float64Array.of(drawn(rate), own)]
      state = detector.update(setup, state, { start: pane, ms: 1, now, reference, coverage: 1 })
      if (detector.read(setup, state).logE.harm >= limitOf(rules, errors)) return pane
    }
  })
  const median = panes.toSorted((a, b) => a - b)[30]! * rules.times.paneMs
  expect(median).toBeGreaterThan(promised * 0.75)
  expect(median).toBeLessThan(promised * 1.25)
})

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
