import type { GuardrailEvidence } from '@interlock/contracts'
import { detectorFor, resolveSignal, whyNot } from '@interlock/statistics'
import { expect, test } from 'vitest'
import { type ClosedPane, sumPane } from './closed-pane.ts'
import { addCounts, emptyPane, sliceKey } from './panes.ts'
import { planOf } from './plan.ts'
import { sourcesOf } from './source.ts'
import { countsOf, guardrail, policyOf, type Row, rowsOf, seeded, spec, watchOf } from './testing/flights.ts'
import { moveTrack, readTrack, startTrack } from './tracks.ts'

const seed = 20_261_124
console.log(`sources of a guardrail: seed ${seed}`)
const panes = 40
const identity = { deployment: 'd', generation: 1 }

/** Evidence after all panes of two rules: about the whole, and with slices by airport and producer. `moon` is a small producer that the spec does not know. */
function after(change: (row: Row, chance: number) => Row): Readonly<Record<string, GuardrailEvidence>> {
  const policy = policyOf([
    guardrail('errors'),
    guardrail('by', { slices: ['segment:airport', 'producer'] }),
    guardrail('held', { action: 'hold' }),
  ])
  const plan = planOf(watchOf({ policy }), { detectorFor, resolveSignal, whyNot })
  const random = seeded(seed)
  const rows = rowsOf(random, panes, 300, (row) =>
    change(random() < 0.05 ? { ...row, producer: 'moon' } : row, random()),
  )
  const found = plan.subjects.map((subject) => {
    let track = startTrack(subject, 0)
    let pane: ClosedPane | null = null
    for (let at = 0; at < panes; at++) {
      const inPane = rows.filter((row) => row.pane === at * 1_000)
      pane = sumPane(plan, addCounts(emptyPane, countsOf(inPane)), at * 1_000, 1)
      track = moveTrack(plan, subject, track, [], pane)
    }
    return readTrack(plan, subject, track, pane as ClosedPane, identity)
  })
  return Object.fromEntries(found.map((one) => [one.guardrail, one]))
}
const isCandidate = (row: Row): boolean => row.variant === 'candidate'

test('a small source whose candidate rows fail is told alone, with and without slices: what acts stays far below its limit', () => {
  const { errors, by } = after((row, chance) =>
    isCandidate(row) && row.producer === 'moon' && chance < 0.6 ? { ...row, failed: true } : row,
  )
  for (const one of [errors, by]) {
    expect(one?.evidence.alone?.source).toBe('other')
    expect(one?.evidence.alone?.traffic).toBeCloseTo(0.05, 1)
    expect(one?.evidence.alone?.logE).toBeGreaterThan(one?.limit ?? 0)
    expect(one?.evidence.logE.harm).toBeLessThanOrEqual((one?.limit ?? 0) / 2)
    expect(one?.evidence.influence).toMatchObject([{ source: 'other' }])
  }
  expect(by?.evidence.drivers[0]).toMatchObject({ dimension: 'producer', value: 'other' })
  expect(by?.evidence.drivers[0]?.share).toBeGreaterThan(0.8)
})

test('a small source that sends its failures about one airport only is told alone too', () => {
  const { by } = after((row, chance) =>
    isCandidate(row) && row.producer === 'moon' && chance < 0.9 ? { ...row, airport: 'ATL', failed: true } : row,
  )
  expect(by?.evidence.alone?.source).toBe('other')
  expect(by?.evidence.logE.harm).toBeLessThan(by?.limit ?? 0)
})

test('harm of many acts, whichever small source is left out, and what it would be without each is said', () => {
  const { errors, by } = after((row, chance) => (isCandidate(row) && chance < 0.04 ? { ...row, failed: true } : row))
  for (const one of [errors, by]) {
    expect(one?.evidence.alone).toBeUndefined()
    expect(one?.evidence.logE.harm).toBeGreaterThan(one?.limit ?? 0)
    expect(one?.evidence.influence?.[0]?.without).toBeGreaterThan(one?.limit ?? 0)
  }
})

test('harm at one airport alone still acts: no source stands behind it', () => {
  const { by } = after((row, chance) =>
    isCandidate(row) && row.airport === 'ATL' && chance < 0.1 ? { ...row, failed: true } : row,
  )
  expect(by?.evidence.alone).toBeUndefined()
  expect(by?.evidence.logE.harm).toBeGreaterThan(by?.limit ?? 0)
  expect(by?.evidence.slice).toEqual({ dimension: 'segment:airport', value: 'ATL' })
})

test('a small source that lets the stable version fail hides nothing', () => {
  const { errors } = after((row, chance) => {
    if (row.producer === 'moon') return { ...row, failed: !isCandidate(row) }
    return isCandidate(row) && chance < 0.04 ? { ...row, failed: true } : row
  })
  expect(errors?.evidence.logE.harm).toBeGreaterThan(errors?.limit ?? 0)
  expect(errors?.evidence.effect.low).toBeGreaterThan(1.2)
})

test('a rule that only holds has no such guard', () => {
  const { held } = after((row) => (isCandidate(row) && row.producer === 'moon' ? { ...row, failed: true } : row))
  expect(held?.evidence.influence).toBeUndefined()
  expect(held?.evidence.logE.harm).toBeGreaterThan(held?.limit ?? 0)
})

test('the seven most frequent producers stand alone, all others are one source', () => {
  const producers = Array.from({ length: 12 }, (_, index) => `p${index}`)
  const signal = resolveSignal('errors', spec, { p50: 10, p90: 50, p99: 100 })
  const sources = sourcesOf(guardrail('errors'), signal, { producers })
  expect(sources.map(({ name }) => name)).toEqual([...producers.slice(0, 7), 'other'])
  expect(sources.at(-1)?.keys).toEqual(
    [...producers.slice(7), 'other'].map((producer) => sliceKey('producer', producer)),
  )
  expect(sourcesOf(guardrail('errors', { action: 'hold' }), signal, { producers })).toEqual([])
  expect(sourcesOf(guardrail('errors', { reference: 'baseline' }), signal, { producers })).toEqual([])
})
