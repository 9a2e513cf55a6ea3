import {
  type AnyOut,
  contentHash,
  decodeOut,
  type EvidenceOut,
  encodeOut,
  type GuardrailEvidence,
  type VersionId,
} from '@interlock/contracts'
import { expect, test } from 'vitest'
import { createEvaluator } from './processor.ts'
import {
  baselineOf,
  countsOf,
  guardrail,
  inputs,
  policyOf,
  progressOf,
  type Row,
  rowsOf,
  seeded,
  v1,
  v2,
  watchOf,
} from './testing/flights.ts'

const start = 1_000_000
const panes = 40
const onset = start + 20_000
const perPane = 150

const endless = {
  reference: 'baseline',
  detector: 'dirichlet-baseline',
  budget: { falsePerYear: 4 },
  action: 'hold',
} as const
const policy = policyOf([
  guardrail('errors', { slices: ['segment:airport'], role: 'gate' }),
  guardrail('missing', { signal: 'missing(distance)' }),
  guardrail('slow', { signal: 'latency-over(p99)', tolerance: { harm: 0.2, safe: 0.5 } }),
  guardrail('distance', {
    signal: 'distribution(distance)',
    detector: 'dirichlet-two-sample',
    tolerance: { harm: 0.02, safe: 0 },
  }),
  guardrail('distance-training', {
    ...endless,
    signal: 'distribution(distance)',
    tolerance: { harm: 0.05, safe: 0 },
    slices: ['producer'],
  }),
  guardrail('answers', { ...endless, signal: 'predictions', tolerance: { harm: 0.05, safe: 0 } }),
  guardrail('volume', { ...endless, signal: 'volume', reference: 'history', detector: 'gap', slices: [] }),
])

const training = rowsOf(seeded(99), 20, 500)
const baselines = [v1, v2].map((version) => baselineOf(version, training))

/** Live traffic with the real detectors, one step a pane; `fault` changes the rows from the onset on. */
function live(fault: (row: Row) => Row | null, watch = watchOf({ from: start, policy, baselines })): EvidenceOut[] {
  const evaluator = createEvaluator({ shards: 1, profilerShards: 1 })
  const rows = rowsOf(seeded(11), panes, perPane)
    .map((row) => ({ ...row, pane: row.pane + start }))
    .flatMap((row) => (row.pane < onset ? [row] : [fault(row)].filter((each) => each !== null)))
  const byPane = Map.groupBy(rows, ({ pane }) => pane)
  let [state, outs]: readonly [ReturnType<typeof evaluator.empty>, readonly AnyOut[]] = [evaluator.empty(0), []]
  const said: AnyOut[] = []
  for (let pane = start; pane < start + (panes + 2) * 1_000; pane += 1_000) {
    const counts = countsOf(byPane.get(pane) ?? [])
    const news = pane === start ? [watch, ...counts] : counts
    ;[state, outs] = evaluator.step(state, inputs(...news, progressOf(0, pane)), pane, true)
    said.push(...outs)
  }
  return said.filter((out) => out.kind === 'evidence')
}

function about(evidence: EvidenceOut, id: string, version: VersionId): GuardrailEvidence {
  return evidence.guardrails.find((each) => each.guardrail === id && each.version === version)!
}

/** Guardrails beyond their limits at the end, as "id version". */
function beyond(evidence: EvidenceOut): readonly string[] {
  return evidence.guardrails
    .filter(({ evidence: { logE }, limit }) => logE.harm >= limit)
    .map((each) => `${each.guardrail} ${each.version}`)
}

/** First pane, after the onset in panes, in which a guardrail was beyond its limit. */
function delay(all: readonly EvidenceOut[], id: string, version: VersionId): number {
  const first = all.find((each) => {
    const { evidence, limit } = about(each, id, version)
    return evidence.logE.harm >= limit
  })
  return first === undefined ? Number.POSITIVE_INFINITY : (first.pane - onset) / 1_000
}

test('healthy traffic breaches nothing, and shows that the errors are safe', () => {
  const last = live((row) => row).at(-1)!
  expect(beyond(last)).toEqual([])
  expect(last.guardrails.map(({ evidence }) => evidence.status)).toEqual(last.guardrails.map(() => 'ok'))
  expect(about(last, 'errors', v2).evidence.logE.safe).toBeGreaterThan(0)
})

test('a candidate that reads another unit breaches against stable only, with feature bins, onset and factor', () => {
  const all = live((row) =>
    row.version === v2 && row.distance >= 0 ? { ...row, distance: Math.min(4, row.distance + 1) } : row,
  )
  expect(delay(all, 'distance', v2)).toBeLessThanOrEqual(10)
  const { evidence } = about(all.at(-1)!, 'distance', v2)
  expect(evidence.effect.low).toBeGreaterThan(0.02)
  expect(evidence.onset!.from).toBeLessThanOrEqual(onset)
  expect(Math.abs(evidence.onset!.to - onset)).toBeLessThanOrEqual(6_000)
  const { since } = evidence
  expect(Math.abs(since!.from - onset)).toBeLessThanOrEqual(6_000)
  expect(Object.keys(since!).sort()).toEqual(['events', 'from', 'm', 'n'])
  expect(since!.n).toBeLessThan(evidence.n)
  expect(evidence.drivers[0]).toMatchObject({ dimension: 'bin', value: '800 to 1,600' })
  expect(evidence.typical!.now / evidence.typical!.reference).toBeGreaterThan(1.5)
  expect(beyond(all.at(-1)!).filter((name) => name.endsWith(v1))).toEqual([])
})

test('a producer that breaks hits both arms: each version leaves its own baseline, stable and candidate agree, and it is named', () => {
  const all = live((row) => (row.producer === 'west' && row.distance >= 0 ? { ...row, distance: 4 } : row))
  for (const version of [v1, v2]) {
    expect(delay(all, 'distance-training', version)).toBeLessThanOrEqual(3)
    const { evidence } = about(all.at(-1)!, 'distance-training', version)
    const [first] = evidence.drivers
    expect(first).toMatchObject({ dimension: 'producer', value: 'west' })
    expect(first?.share).toBeGreaterThan(0.9)
    expect(evidence.slice).toEqual({ dimension: 'producer', value: 'west' })
    expect(Math.abs(evidence.onset!.from - onset)).toBeLessThanOrEqual(5_000)
  }
  expect(delay(all, 'distance', v2)).toBe(Number.POSITIVE_INFINITY)
})

test('harm at one airport shows in its slice and names it', () => {
  const random = seeded(5)
  const all = live((row) => (row.version === v2 && row.airport === 'ATL' ? { ...row, failed: random() < 0.2 } : row))
  const { evidence } = about(all.at(-1)!, 'errors', v2)
  expect(beyond(all.at(-1)!)).toEqual([`errors ${v2}`])
  expect(evidence.drivers[0]).toMatchObject({ dimension: 'segment:airport', value: 'ATL' })
  expect(evidence.drivers[0]!.now).toBeGreaterThan(5 * evidence.drivers[0]!.reference)
})

test('missing values and slow answers of the candidate are seen against stable', () => {
  const random = seeded(6)
  const all = live((row) => (row.version === v2 && random() < 0.2 ? { ...row, distance: -1, latency: 4 } : row))
  expect(delay(all, 'missing', v2)).toBeLessThanOrEqual(3)
  expect(beyond(all.at(-1)!)).toContain(`slow ${v2}`)
})

test('a candidate that falls silent breaches by volume; the stable version does not', () => {
  const all = live((row) => (row.version === v2 ? null : row))
  expect(delay(all, 'volume', v2)).toBeLessThanOrEqual(3)
  expect(beyond(all.at(-1)!)).toEqual([`volume ${v2}`])
})

test('a guardrail that cannot see says no-data: without a baseline, of an unknown signal, without a detector', () => {
  const blind = policyOf([
    guardrail('no-baseline', { ...endless, signal: 'predictions' }),
    guardrail('unknown', { signal: 'missing(altitude)' }),
    guardrail('no-limits', { signal: 'latency-over(p99)' }),
    guardrail('no-detector', { reference: 'baseline' }),
  ])
  const last = live((row) => row, watchOf({ from: start, policy: blind, baselines: [] })).at(-1)!
  expect(last.guardrails.map(({ guardrail: id }) => id)).toEqual([
    'no-baseline',
    'no-baseline',
    'unknown',
    'no-limits',
    'no-detector',
    'no-detector',
  ])
  expect(new Set(last.guardrails.map(({ evidence }) => evidence.status))).toEqual(new Set(['no-data']))
})

test('evidence is named by its content, and says the same after a journey through the log', () => {
  const all = live((row) => (row.producer === 'west' ? { ...row, distance: 4 } : row))
  for (const evidence of all) {
    const { hash, ...content } = evidence
    expect(hash).toBe(contentHash(content))
    expect(decodeOut(encodeOut(evidence))).toEqual(evidence)
  }
  expect(all.some(({ guardrails }) => guardrails.some((each) => each.evidence.slice !== undefined))).toBe(true)
})
