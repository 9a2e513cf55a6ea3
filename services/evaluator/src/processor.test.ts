import type { AnyOut, EvidenceOut, Hash, Input, LogTime } from '@interlock/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEvaluator, type EvaluatorConfig, stepBounds } from './processor.ts'
import type { Evaluated } from './state.ts'
import {
  baselineOf,
  countsOf,
  flights,
  guardrail,
  inputs,
  policyOf,
  progressOf,
  type Row,
  rowsOf,
  seeded,
  spec,
  specHash,
  v1,
  v2,
  watchOf,
} from './testing/flights.ts'
import { toyMethods } from './testing/toy.ts'

const start = 1_000_000

/** Drives an evaluator by hand: time goes on with each step, and each step must leave the state before it alone. */
function drive(
  profilerShards = 1,
  policy = policyOf([guardrail('errors')]),
  config: Pick<EvaluatorConfig, 'methods'> = { methods: toyMethods },
) {
  const evaluator = createEvaluator({ shards: 1, profilerShards, ...config })
  let state = evaluator.empty(0)
  const said: AnyOut[] = []
  const stepAt = (time: LogTime, batch: readonly Input[] = [], caughtUp = true): readonly AnyOut[] => {
    const before = evaluator.save(state)
    const [next, outs] = evaluator.step(state, batch, time, caughtUp)
    expect(evaluator.save(state)).toEqual(before)
    state = next
    said.push(...outs)
    return outs
  }
  const watch = watchOf({ from: start, policy })
  return { evaluator, stepAt, said, watch, state: () => state as Evaluated }
}

function evidenceOf(outs: readonly AnyOut[]): readonly EvidenceOut[] {
  return outs.filter((out) => out.kind === 'evidence')
}

function rows(pane: number, count: number, fields: Partial<Row> = {}): Row[] {
  const row = { pane, version: v1, variant: 'stable', airport: 'ORD', producer: 'east', distance: 1, score: 1 } as const
  return Array.from({ length: count }, () => ({ ...row, latency: 1, failed: false, ...fields }))
}

describe('a pane', () => {
  test('closes at the first step at which every profiler shard has passed its end by the lateness', () => {
    const { stepAt, watch } = drive(2)
    stepAt(start, inputs(watch, ...countsOf(rows(start, 5))))
    expect(evidenceOf(stepAt(start + 2_500, inputs(progressOf(0, start + 2_000))))).toEqual([])
    expect(evidenceOf(stepAt(start + 2_600, inputs(progressOf(1, start + 1_999))))).toEqual([])
    const [evidence] = evidenceOf(stepAt(start + 2_700, inputs(progressOf(1, start + 2_000))))
    expect(evidence).toMatchObject({ pane: start, coverage: 1, totals: [{ version: v1, variant: 'stable', rows: 5 }] })
  })

  test('of a watched deployment closes also when it is empty, one after the other, none twice', () => {
    const { stepAt, watch } = drive()
    const outs = stepAt(start + 7_000, inputs(watch, progressOf(0, start + 5_000)))
    expect(evidenceOf(outs).map(({ pane }) => pane)).toEqual([0, 1, 2, 3].map((pane) => start + pane * 1_000))
    expect(evidenceOf(stepAt(start + 7_500, inputs(progressOf(0, start + 5_000))))).toEqual([])
    expect(evidenceOf(outs)[0]?.guardrails[0]?.evidence.status).toBe('no-data')
  })

  test('begins with the first whole pane of the watch; rows before it are set aside, not late', () => {
    const { stepAt, watch, state } = drive()
    stepAt(start + 500, inputs(...countsOf([...rows(start, 3), ...rows(start + 1_000, 4)])))
    const outs = stepAt(start + 4_000, inputs({ ...watch, from: start + 1 }, progressOf(0, start + 3_000)))
    expect(evidenceOf(outs)).toMatchObject([{ pane: start + 1_000, late: 0, totals: [{ rows: 4 }] }])
    expect(state().deployments.get(flights)?.before).toBe(3)
  })

  test('that is closed takes no more rows: they are counted as late, and said with the next evidence', () => {
    const { stepAt, watch } = drive()
    stepAt(start, inputs(watch, ...countsOf(rows(start, 5))))
    stepAt(start + 3_000, inputs(progressOf(0, start + 2_000)))
    stepAt(start + 3_500, inputs(...countsOf(rows(start, 7))))
    const [next] = evidenceOf(stepAt(start + 4_000, inputs(progressOf(0, start + 3_000))))
    expect(next).toMatchObject({ pane: start + 1_000, late: 7, totals: [{ rows: 5 }] })
  })

  test('ten years ahead opens nothing', () => {
    const { stepAt, watch, state } = drive()
    stepAt(start, inputs(watch, ...countsOf(rows(start + 315_360_000_000, 2))))
    expect(state().deployments.get(flights)).toMatchObject({ late: 2, panes: new Map() })
  })
})

describe('a silent profiler shard', () => {
  const silentFor = (evaluator: ReturnType<typeof drive>, from: LogTime, to: LogTime): AnyOut[] => {
    const outs: AnyOut[] = []
    for (let time = from; time <= to; time += 1_000) {
      outs.push(...evaluator.stepAt(time, inputs(progressOf(0, time - 1_000))))
    }
    return outs
  }

  test('is waited for until stallTimeout after the pane was due, then its pane closes incomplete and never passes', () => {
    const evaluator = drive(2)
    evaluator.stepAt(
      start,
      inputs(evaluator.watch, ...countsOf(rows(start, 80, { version: v2, variant: 'candidate' }))),
    )
    expect(evidenceOf(silentFor(evaluator, start + 1_000, start + 16_000))).toEqual([])
    const [evidence] = evidenceOf(silentFor(evaluator, start + 17_000, start + 17_000))
    expect(evidence).toMatchObject({ pane: start, coverage: 0.5 })
    expect(evidence?.guardrails.map((each) => each.evidence.status)).toEqual(['incomplete'])
  })

  test('is not silent because the evaluator was away: after an hour its backlog is nowhere late', () => {
    const evaluator = drive(2)
    const { stepAt, watch, state } = evaluator
    stepAt(start, inputs(watch, progressOf(0, start), progressOf(1, start)))
    silentFor(evaluator, start + 1_000, start + 14_000)
    const back = start + 3_600_000
    expect(stepAt(back, [])).toEqual([])
    expect(evidenceOf(stepAt(back + 1_000, []))).toEqual([])
    stepAt(back + 2_000, inputs(...countsOf(rows(start, 9)), progressOf(1, start + 2_000)))
    expect(state().deployments.get(flights)).toMatchObject({ late: 0, totals: [{ rows: 9 }] })
  })

  test('is not silent while the evaluator has not read all that there is', () => {
    const { stepAt, watch } = drive(2)
    stepAt(start, inputs(watch))
    for (let time = start + 1_000; time < start + 60_000; time += 1_000) {
      expect(evidenceOf(stepAt(time, inputs(progressOf(0, time)), false))).toEqual([])
    }
  })
})

test('after an hour without a step the panes close bit by bit, within the bounds of a step', () => {
  const { stepAt, watch } = drive()
  stepAt(start, inputs(watch))
  let closed = 0
  let steps = 0
  for (let time = start + 3_600_000; closed < 3_598; time += 1_000, steps++) {
    const outs = evidenceOf(stepAt(time, steps === 0 ? inputs(progressOf(0, time)) : []))
    expect(outs.length).toBeLessThanOrEqual(stepBounds.panes)
    expect(outs.length).toBeGreaterThan(0)
    expect(outs[0]?.pane).toBe(start + closed * 1_000)
    closed += outs.length
  }
  expect(steps).toBeGreaterThan(10)
})

test('a shadow candidate is evidence until it answers somebody, in one product a generation', () => {
  const { stepAt, watch } = drive()
  const candidate = { version: v2, variant: 'candidate' } as const
  const shadow = { version: v2, variant: 'shadow' } as const
  stepAt(start, inputs(watch, ...countsOf([...rows(start, 10), ...rows(start, 10, shadow)])))
  const [first] = evidenceOf(stepAt(start + 2_000, inputs(progressOf(0, start + 2_000))))
  expect(first?.guardrails).toMatchObject([{ version: v2, variant: 'shadow', evidence: { n: 10, m: 10 } }])
  const second = [...rows(start + 1_000, 10), ...rows(start + 1_000, 4, candidate), ...rows(start + 1_000, 6, shadow)]
  const [next] = evidenceOf(stepAt(start + 3_000, inputs(...countsOf(second), progressOf(0, start + 3_000))))
  expect(next?.guardrails).toMatchObject([{ version: v2, variant: 'candidate', evidence: { n: 14, m: 20 } }])
  expect(next?.totals).toEqual([
    { version: v1, variant: 'stable', rows: 20 },
    { version: v2, variant: 'candidate', rows: 4 },
    { version: v2, variant: 'shadow', rows: 16 },
  ])
})

test('a pane that was not wholly seen moves no evidence, neither of the whole nor of a slice', () => {
  const { stepAt, watch } = drive(1, policyOf([guardrail('errors', { slices: ['producer'] })]))
  const candidate = { version: v2, variant: 'candidate' } as const
  const [foreign] = countsOf(rows(start + 1_000, 1))
  const second = [...countsOf(rows(start + 1_000, 80, candidate)), { ...foreign!, spec: '0'.repeat(64) as Hash }]
  stepAt(start, inputs(watch, ...countsOf(rows(start, 80, candidate)), ...second))
  const [whole, part] = evidenceOf(stepAt(start + 3_000, inputs(progressOf(0, start + 3_000))))
  expect(whole?.guardrails[0]?.evidence).toMatchObject({ status: 'ok', n: 80 })
  expect(whole?.guardrails[0]?.evidence.logE.harm).toBeGreaterThan(0.5)
  expect(part?.guardrails[0]?.evidence).toMatchObject({
    status: 'incomplete',
    n: 80,
    logE: whole?.guardrails[0]?.evidence.logE,
  })
})

test('rows counted under another spec never enter a sum: they lower the coverage', () => {
  const { stepAt, watch } = drive()
  const [other] = countsOf(rows(start, 10, { version: v2, variant: 'candidate' }))
  const foreign = { ...other!, spec: 'f'.repeat(64) as Hash }
  stepAt(start, inputs(watch, ...countsOf(rows(start, 30)), foreign))
  const [evidence] = evidenceOf(stepAt(start + 2_000, inputs(progressOf(0, start + 2_000))))
  expect(evidence).toMatchObject({ coverage: 0.75, guardrails: [{ evidence: { status: 'incomplete', n: 0 } }] })
  expect(evidence?.totals).toContainEqual({ version: v2, variant: 'candidate', rows: 10 })
})

describe('a new watch', () => {
  const policy = policyOf([
    guardrail('errors'),
    guardrail('volume', { signal: 'volume', detector: 'gap', reference: 'history', budget: { falsePerYear: 1 } }),
  ])
  const both = (pane: number): Row[] => [...rows(pane, 10), ...rows(pane, 10, { version: v2, variant: 'candidate' })]
  const find = (evidence: EvidenceOut | undefined, id: string, version: string) =>
    evidence?.guardrails.find((each) => each.guardrail === id && each.version === version)?.evidence

  test('of a higher generation starts the candidate afresh and goes on watching the stable version', () => {
    const { stepAt, watch } = drive(1, policy)
    stepAt(start, inputs(watch, ...countsOf(both(start)), ...countsOf(both(start + 1_000))))
    const next = { ...watch, generation: 2, from: start + 1_000 }
    const [first, second] = evidenceOf(stepAt(start + 3_000, inputs(next, progressOf(0, start + 3_000))))
    expect(first).toMatchObject({ generation: 1, totals: [{ rows: 10 }, { rows: 10 }] })
    expect(second).toMatchObject({ generation: 2, totals: [{ rows: 10 }, { rows: 10 }] })
    expect(find(second, 'errors', v2)?.n).toBe(10)
    expect(find(second, 'volume', v2)?.n).toBe(10)
    expect(find(second, 'volume', v1)?.n).toBe(20)
  })

  test('of a lower generation than the newest changes nothing', () => {
    const { stepAt, watch, state } = drive(1, policy)
    stepAt(start, inputs({ ...watch, generation: 2 }))
    stepAt(start + 10, inputs({ ...watch, generation: 1, candidate: null }))
    expect(state().deployments.get(flights)).toMatchObject({ watch: { generation: 2, candidate: v2 }, pending: [] })
  })

  test('of the same generation after a completion keeps what is known of the version that now is the stable one', () => {
    const { stepAt, watch } = drive(1, policy)
    stepAt(start, inputs(watch, ...countsOf(both(start)), ...countsOf(both(start + 1_000))))
    const done = { ...watch, stable: v2, candidate: null, from: start + 1_000 }
    const [, second] = evidenceOf(stepAt(start + 3_000, inputs(done, progressOf(0, start + 3_000))))
    expect(second?.guardrails.map(({ guardrail: id, version, variant }) => [id, version, variant])).toEqual([
      ['volume', v2, 'stable'],
    ])
    expect(find(second, 'volume', v2)?.n).toBe(20)
  })

  test('with longer panes loses no row and closes no time twice', () => {
    const { stepAt, watch } = drive(1, policy)
    const counts = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((pane) => countsOf(rows(start + pane * 1_000, 1)))
    const longer = { ...policy, times: { ...policy.times, paneMs: 4_000 } }
    stepAt(start, inputs(watch, ...counts, { ...watch, policy: longer, from: start + 2_000 }))
    const closed = evidenceOf(stepAt(start + 9_000, inputs(progressOf(0, start + 9_000))))
    expect(closed.map(({ pane, paneMs }) => [pane - start, paneMs])).toEqual([
      [0, 1_000],
      [1_000, 1_000],
      [2_000, 1_000],
      [3_000, 1_000],
      [4_000, 4_000],
    ])
    expect(closed.at(-1)?.totals).toEqual([{ version: v1, variant: 'stable', rows: 8 }])
  })

  test('with shorter panes waits for the end of the long one that is open', () => {
    const long = { ...policy, times: { ...policy.times, paneMs: 4_000 } }
    const { stepAt, watch } = drive(1, long)
    stepAt(start, inputs(watch, ...countsOf(rows(start, 1)), { ...watch, policy, from: start + 2_000 }))
    const closed = evidenceOf(stepAt(start + 9_000, inputs(progressOf(0, start + 7_000))))
    expect(closed.map(({ pane, paneMs }) => [pane - start, paneMs])).toEqual([
      [0, 4_000],
      [4_000, 1_000],
      [5_000, 1_000],
    ])
  })

  test('is ready to count once every profiler shard has echoed its generation and spec, and says so once', () => {
    const { stepAt, watch } = drive(2)
    const echo = (shard: number, generation = 1) =>
      ({ kind: 'echo', shard, deployment: flights, generation, spec: specHash }) as const
    const ready = (outs: readonly AnyOut[]) => outs.filter(({ kind }) => kind === 'ready-to-count')
    expect(ready(stepAt(start, inputs(echo(0), echo(1, 0), watch)))).toEqual([])
    expect(ready(stepAt(start + 1, inputs(echo(1))))).toMatchObject([{ generation: 1, spec: specHash }])
    expect(ready(stepAt(start + 2, inputs(echo(0))))).toEqual([])
    expect(ready(stepAt(start + 3, inputs({ ...watch, generation: 2 }, echo(0, 2))))).toEqual([])
    expect(ready(stepAt(start + 4, inputs(echo(1, 2))))).toMatchObject([{ generation: 2 }])
  })
})

test('served tells who answered in open panes, at most once a second of log time', () => {
  const { stepAt, watch } = drive()
  const served = (outs: readonly AnyOut[]) => outs.filter(({ kind }) => kind === 'served')
  stepAt(start, inputs(watch))
  expect(served(stepAt(start + 100, inputs(...countsOf(rows(start, 3)))))).toMatchObject([
    { pane: start, counts: [{ version: v1, rows: 3 }] },
  ])
  const more = [...rows(start, 2), ...rows(start + 1_000, 1, { version: v2, variant: 'candidate' })]
  expect(served(stepAt(start + 900, inputs(...countsOf(more))))).toEqual([])
  expect(served(stepAt(start + 1_100, []))).toMatchObject([
    { pane: start, counts: [{ version: v1, rows: 5 }] },
    { pane: start + 1_000, counts: [{ version: v2, rows: 1 }] },
  ])
  expect(served(stepAt(start + 5_000, []))).toEqual([])
})

test('a summary shows rows, errors, answers and latency quantiles of each version, and a silent version with none', () => {
  const { stepAt, watch } = drive()
  const mixed = [...rows(start, 6, { latency: 2 }), ...rows(start, 2, { latency: 3, failed: true, score: 3 })]
  stepAt(start, inputs(watch, ...countsOf(mixed)))
  const [evidence] = evidenceOf(stepAt(start + 2_000, inputs(progressOf(0, start + 2_000))))
  const [stable, candidate] = evidence!.summaries
  expect(stable).toMatchObject({ version: v1, rows: 8, errors: 2, predictions: [2, 6, 0, 0, 0] })
  expect(stable?.latencyMs.p50).toBeCloseTo(10 + (40 * 4) / 6)
  expect(stable?.latencyMs.p99).toBeCloseTo(50 + (50 * 1.92) / 2)
  expect(candidate).toMatchObject({ version: v2, variant: 'candidate', rows: 0, latencyMs: { p50: 0 } })
})

describe('slices that take turns', () => {
  const airports = Array.from({ length: 512 }, (_, index) => `A${index}`)
  const many = { ...spec, segments: [{ name: 'airport', values: airports }] }
  const sliced = policyOf([
    guardrail('errors', { slices: ['segment:airport'], minimumSample: 1 }),
    guardrail('by-producer', { slices: ['producer'], minimumSample: 1 }),
  ])

  test('are moved with all rows since their turn before, once in as many panes as there are turns', () => {
    const { stepAt, watch, state } = drive(1, sliced)
    const fields = { version: v2, variant: 'candidate', airport: 'A7' } as const
    const counts = [0, 1, 2, 3, 4, 5].flatMap((pane) => countsOf(rows(start + pane * 1_000, 10 + pane, fields)))
    stepAt(start, inputs({ ...watch, spec: many }, ...counts))
    const n: number[] = []
    const everyPane: number[] = []
    for (let pane = 0; pane < 6; pane++) {
      stepAt(start + 3_000 + pane * 1_000, inputs(progressOf(0, start + 2_000 + pane * 1_000)))
      const rowsIn = [...state().deployments.get(flights)!.tracks.values()].map(({ slices }) =>
        [...slices.values()].reduce((sum, { reading }) => sum + reading.n, 0),
      )
      n.push(rowsIn[0]!)
      everyPane.push(rowsIn[1]!)
      expect(state().deployments.get(flights)!.unmoved.length).toBeLessThanOrEqual(2)
    }
    // 513 slices at 256 a pane are three turns; slice 7 has its turn in panes 1,001 and 1,004.
    expect(n).toEqual([0, 10 + 11, 21, 21, 21 + 12 + 13 + 14, 60])
    expect(everyPane).toEqual([10, 21, 33, 46, 60, 75])
  })
})

describe('laws', () => {
  const all = rowsOf(seeded(7), 6, 20).map((row) => ({ ...row, pane: row.pane + start }))
  const endless = { reference: 'baseline', detector: 'dirichlet-baseline', budget: { falsePerYear: 1 } } as const
  const policy = policyOf([
    guardrail('errors', { slices: ['segment:airport', 'producer'] }),
    guardrail('distance', { signal: 'distribution(distance)', detector: 'dirichlet-two-sample', slices: ['producer'] }),
    guardrail('origin', { ...endless, signal: 'distribution(origin)', slices: ['producer'] }),
    guardrail('volume', { ...endless, signal: 'volume', detector: 'gap', reference: 'history' }),
  ])
  const baselines = [v1, v2].map((version) => baselineOf(version, all))
  /** The real detectors: what they say rests on every count. */
  const real = (partitions: number) => drive(partitions, policy, {})

  /** Takes rows in the cuts given, spread over partitions; watermarks follow when all rows are in. */
  function evidenceFor(source: readonly Row[], partitions: number, cuts: readonly number[]): readonly AnyOut[] {
    const { stepAt, watch, said, evaluator, state } = real(partitions)
    stepAt(start, inputs({ ...watch, baselines }))
    const bounds = [0, ...[...cuts].sort((a, b) => a - b), source.length]
    let time = start
    for (let index = 1; index < bounds.length; index++) {
      const taken = source.slice(bounds[index - 1], bounds[index])
      const outs = Array.from({ length: partitions }, (_, partition) => {
        const mine = taken.filter((_, row) => row % partitions === partition)
        return mine.length === 0 ? [] : countsOf(mine, partition)
      }).flat()
      time += 10
      stepAt(time, inputs(...outs))
      expect(evaluator.save(evaluator.load(evaluator.save(state()), evaluator.version))).toEqual(
        evaluator.save(state()),
      )
    }
    const finish = Array.from({ length: partitions }, (_, shard) => progressOf(shard, start + 7_000))
    stepAt(start + 8_000, inputs(...finish))
    return said
  }

  const oracle = evidenceOf(evidenceFor(all, 1, []))

  test('evidence is the same bytes for 1, 4 or 16 profiler shards and any batching and order of rows', () => {
    expect(oracle).toHaveLength(6)
    const shuffle = fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length })
    fc.assert(
      fc.property(
        fc.constantFrom(1, 4, 16),
        fc.array(fc.nat(all.length), { maxLength: 8 }),
        shuffle,
        (partitions, cuts, source) => {
          expect(evidenceOf(evidenceFor(source, partitions, cuts))).toEqual(oracle)
        },
      ),
      { numRuns: 40 },
    )
  })

  test('every row is in a pane or late, whatever comes when', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ take: fc.nat(60), passed: fc.nat(9) }), { maxLength: 12 }), (moves) => {
        const { stepAt, watch, state } = drive()
        stepAt(start, inputs(watch))
        let [at, mark, time] = [0, 0, start]
        for (const { take, passed } of [...moves, { take: all.length, passed: 20 }]) {
          const taken = all.slice(at, at + take)
          at += taken.length
          mark = Math.max(mark, passed)
          time += 1_000
          stepAt(time, inputs(...countsOf(taken), progressOf(0, start + mark * 1_000)))
        }
        const watched = state().deployments.get(flights)!
        const inPanes = watched.totals.reduce((sum, { rows: each }) => sum + each, 0)
        expect(inPanes + watched.late).toBe(all.length)
      }),
      { numRuns: 60 },
    )
  })

  test('the same state, batch and time give the same outs also after save and load at any moment', () => {
    const { stepAt, evaluator, state, watch } = real(1)
    stepAt(start, inputs({ ...watch, baselines }, ...countsOf(all.slice(0, 70)), ...countsOf(all.slice(70, 150))))
    const loaded = evaluator.load(evaluator.save(state()), evaluator.version)
    const batch = inputs(...countsOf(all.slice(150)), progressOf(0, start + 7_000))
    const [, outs] = evaluator.step(loaded, batch, start + 8_000, true)
    expect(outs).toEqual(stepAt(start + 8_000, batch))
    expect(outs.length).toBeGreaterThan(6)
  })
})

test('a snapshot of another version, or of another number of profiler shards, is refused with what to do', () => {
  const { evaluator, state } = drive(2)
  const bytes = evaluator.save(state())
  expect(() => evaluator.load(bytes, 99)).toThrow(/version 99.*rebuilt from the log/)
  const one = createEvaluator({ shards: 1, profilerShards: 1, methods: toyMethods })
  expect(() => one.load(bytes, one.version)).toThrow(/2 profiler shards.*configuration says 1/)
})

test('lineage names the cover of all input that went into the closed panes, under the hash of their evidence', () => {
  const { stepAt, watch, said } = drive()
  stepAt(start, inputs(watch, ...countsOf(rows(start, 5), 0, 100n), ...countsOf(rows(start + 1_000, 5), 3, 40n)))
  stepAt(start + 3_000, inputs(progressOf(0, start + 3_000)))
  const lineages = said.filter((out) => out.kind === 'lineage')
  const hashes = evidenceOf(said).map(({ hash }) => hash)
  expect(lineages.map(({ evidence }) => evidence)).toEqual(hashes)
  expect(lineages.at(-1)?.spans).toEqual([
    { topic: 'predictions', partition: 0, from: 100n, to: 105n },
    { topic: 'predictions', partition: 3, from: 40n, to: 45n },
  ])
})

test('deployments of other shards are left to them', () => {
  const evaluator = createEvaluator({ shards: 2, profilerShards: 1, methods: toyMethods })
  const batch = inputs(watchOf({ from: start }), ...countsOf(rows(start, 5)))
  const sizes = [0, 1].map((shard) => evaluator.step(evaluator.empty(shard), batch, start, true)[0].deployments.size)
  expect(sizes.sort()).toEqual([0, 1])
})
