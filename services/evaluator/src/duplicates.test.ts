import { IdSample, keyOf } from '@interlock/columns'
import type { CountsOut, EvidenceOut, VersionId } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { createEvaluator } from './processor.ts'
import {
  countsOf,
  guardrail,
  inputs,
  policyOf,
  progressOf,
  rowsOf,
  seeded,
  v1,
  v2,
  watchOf,
} from './testing/flights.ts'

const policy = policyOf([
  guardrail('errors'),
  guardrail('repeats', { signal: 'duplicates', tolerance: { harm: 0.5, safe: 0 }, action: 'hold' }),
])
const panes = 12
const perPane = 200
const encoder = new TextEncoder()

/** Counts of the rows in parts; every `nth` row of the candidate is sent once more. */
function parts(count: number, nth: number, withIds = true): readonly CountsOut[] {
  const sent: Record<VersionId, number> = { [v1]: 0, [v2]: 0 }
  const rows = rowsOf(seeded(7), panes, perPane).flatMap((row) => {
    sent[row.version]!++
    const id = `${row.version}/${sent[row.version]}`
    const isRepeated = row.version === v2 && sent[row.version]! % nth === 0
    return isRepeated
      ? [
          { row, id },
          { row, id },
        ]
      : [{ row, id }]
  })
  return Array.from({ length: count }, (_, part) => rows.filter((_, index) => index % count === part)).flatMap((some) =>
    countsOf(some.map(({ row }) => row)).map((out) => {
      const sample = new IdSample()
      for (const { row, id } of some) {
        if (row.version === out.version && row.pane === out.pane) sample.add(keyOf(encoder.encode(id)))
      }
      return withIds ? { ...out, ids: sample.pack() } : out
    }),
  )
}

/** Evidence of all panes. With `saves` the state goes through its snapshot after every step. */
function evidenceOf(counts: readonly CountsOut[], saves = false): readonly EvidenceOut[] {
  const evaluator = createEvaluator({ shards: 1, profilerShards: 1 })
  let state = evaluator.empty(0)
  const evidence: EvidenceOut[] = []
  const end = (panes + 2) * 1_000
  for (const batch of [inputs(watchOf({ policy })), ...counts.map((out) => inputs(out)), inputs(progressOf(0, end))]) {
    const [next, outs] = evaluator.step(state, batch, end, true)
    state = saves ? evaluator.load(evaluator.save(next), evaluator.version) : next
    evidence.push(...outs.filter((out) => out.kind === 'evidence'))
  }
  return evidence
}

function repeatsOf(evidence: readonly EvidenceOut[]): EvidenceOut['guardrails'][number] {
  return evidence.at(-1)!.guardrails.find(({ guardrail: id }) => id === 'repeats')!
}

test('one prediction in ten sent twice is a breach within twelve panes, and says how many', () => {
  const { evidence, limit, version } = repeatsOf(evidenceOf(parts(1, 10)))
  expect(version).toBe(v2)
  // 200 ids a pane are fewer than the sample holds: every row and every repetition is counted.
  expect([evidence.n, evidence.m]).toEqual([panes * perPane * 1.1, panes * perPane])
  expect(evidence.events).toEqual({ now: (panes * perPane) / 10, reference: 0 })
  expect(evidence.logE.harm).toBeGreaterThan(limit)
})

test('without repetitions there is no evidence of any', () => {
  const { evidence } = repeatsOf(evidenceOf(parts(1, Number.POSITIVE_INFINITY)))
  expect(evidence).toMatchObject({ status: 'ok', events: { now: 0, reference: 0 } })
  expect(evidence.logE.harm).toBeLessThan(1e-9)
})

test('evidence has the same bytes whatever the parts that the rows came in, and through a snapshot between them', () => {
  const whole = evidenceOf(parts(1, 10)).map(({ hash }) => hash)
  expect(evidenceOf(parts(3, 10)).map(({ hash }) => hash)).toEqual(whole)
  expect(evidenceOf(parts(16, 10).toReversed()).map(({ hash }) => hash)).toEqual(whole)
  expect(evidenceOf(parts(5, 10), true).map(({ hash }) => hash)).toEqual(whole)
})

test('counts without samples of ids are no data for it, never healthy', () => {
  const { evidence } = repeatsOf(evidenceOf(parts(1, 10, false)))
  expect(evidence.status).not.toBe('ok')
  expect(evidence.n).toBe(0)
})
