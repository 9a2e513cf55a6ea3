import {
  type AnyOut,
  decodeOut,
  encodeOut,
  type Guardrail,
  type Policy,
  type ProvisionalOut,
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

const paneMs = 10_000
const stepMs = 500
const start = 1_000_000
const panesUsually = 6
const perPane = 1_500
const onset = start + 3 * paneMs
const seed = 20_260_421
console.log(`foresight: seeds from ${seed}`)

const training = rowsOf(seeded(7), 20, 500)
const baselines = [v1, v2].map((version) => baselineOf(version, training))
const endless: Partial<Guardrail> = {
  signal: 'distribution(distance)',
  reference: 'baseline',
  detector: 'dirichlet-baseline',
  tolerance: { harm: 0.05, safe: 0 },
  budget: { falsePerYear: 4 },
  action: 'hold',
}
const errors = guardrail('errors', { slices: ['segment:airport'] })
const sinceTraining = guardrail('distance-training', { ...endless, slices: ['producer'] })
const volume = guardrail('volume', { ...endless, signal: 'volume', reference: 'history', detector: 'gap' })

function inLongPanes(guardrails: readonly Guardrail[]): Policy {
  const policy = policyOf(guardrails)
  return { ...policy, times: { ...policy.times, paneMs, latenessMs: paneMs } }
}

interface Said {
  readonly at: number
  readonly out: AnyOut
}

/** Live traffic, a step each half second, rows in the order in which they come; two panes more than there are rows. */
function live(
  options: {
    readonly fault?: (row: Row) => Row
    readonly policy?: Policy
    readonly looks?: boolean
    readonly seed?: number
    readonly restartAt?: number
    readonly panes?: number
    /** In each pane the stable version's rows come before the candidate's. */
    readonly candidateLast?: boolean
  } = {},
): { readonly said: readonly Said[]; readonly saved: Uint8Array } {
  const { fault = (row: Row) => row, policy = inLongPanes([errors, sinceTraining, volume]), looks = true } = options
  const panes = options.panes ?? panesUsually
  const evaluator = createEvaluator({ shards: 1, profilerShards: 1 })
  const rows = rowsOf(seeded(options.seed ?? seed), panes, perPane)
    .map((row) => ({ ...row, pane: start + (row.pane / 1_000) * paneMs }))
    .map((row) => (row.pane < onset ? row : fault(row)))
  const byPane = Map.groupBy(rows, ({ pane }) => pane)
  const stepsAPane = paneMs / stepMs
  let state = evaluator.empty(0)
  const said: Said[] = []
  for (let at = start; at < start + (panes + 2) * paneMs; at += stepMs) {
    // The rows that were sent in the half second before this step.
    const pane = Math.floor((at - stepMs - start) / paneMs) * paneMs + start
    const part = Math.floor((at - stepMs - pane) / stepMs)
    const sent = byPane.get(pane) ?? []
    const all = options.candidateLast
      ? sent.toSorted((a, b) => (a.version < b.version ? -1 : a.version > b.version ? 1 : 0))
      : sent
    const each = all.length / stepsAPane
    const counts = countsOf(all.slice(Math.round(part * each), Math.round((part + 1) * each)))
    const news = at === start ? [watchOf({ from: start, policy, baselines }), ...counts] : counts
    const [next, outs] = evaluator.step(state, inputs(...news, progressOf(0, at)), at, looks)
    state = at === options.restartAt ? evaluator.load(evaluator.save(next), evaluator.version) : next
    // What cannot be written to the log was not said.
    said.push(...outs.map((out) => ({ at, out: decodeOut(encodeOut(out)) })))
  }
  return { said, saved: evaluator.save(state) }
}

function foreseen(said: readonly Said[]): readonly { readonly at: number; readonly out: ProvisionalOut }[] {
  return said.flatMap(({ at, out }) => (out.kind === 'provisional' ? [{ at, out }] : []))
}

/** When closed panes first brought a guardrail to its limit. */
function breachedAt(said: readonly Said[]): number | undefined {
  return said.find(
    ({ out }) => out.kind === 'evidence' && out.guardrails.some(({ evidence, limit }) => evidence.logE.harm >= limit),
  )?.at
}

const failing = (row: Row): Row => (row.version === v2 ? { ...row, failed: row.failed || row.score < 2 } : row)
const slowly = (row: Row): boolean =>
  row.score === 0 || (row.latency === 0 && row.producer === 'east' && row.airport === 'ATL')
const longTrips = (row: Row): Row => (row.distance < 0 ? row : { ...row, distance: 4 })

test('healthy traffic: nothing is foreseen, whatever the seed', () => {
  for (let run = 0; run < 4; run++) {
    const { said } = live({ seed: seed + run })
    expect(said.filter(({ out }) => out.kind === 'evidence').length).toBeGreaterThanOrEqual(panesUsually - 1)
    expect(foreseen(said)).toEqual([])
  }
})

test('a gross fault of the candidate is foreseen within its first pane, long before closed panes show it', () => {
  const { said } = live({ fault: failing })
  const [first] = foreseen(said)
  expect(first!.at).toBeGreaterThan(onset)
  expect(first!.at).toBeLessThan(onset + paneMs / 2)
  expect(breachedAt(said)).toBe(onset + 2 * paneMs)
  expect(first!.out).toMatchObject({ generation: 1, pane: onset, guardrails: [{ guardrail: 'errors', version: v2 }] })
  const { evidence, limit } = first!.out.guardrails[0]!
  expect(evidence).toMatchObject({ status: 'ok', dataTo: onset + paneMs })
  expect(evidence.logE.harm).toBeGreaterThanOrEqual(limit)
  expect(evidence.effect.low).toBeGreaterThan(2)
})

test('nothing is foreseen any more once closed panes have reached the limit, and never twice within a look', () => {
  const { said } = live({ fault: failing })
  const all = foreseen(said)
  expect(all.every(({ at }) => at < breachedAt(said)!)).toBe(true)
  // Four looks a pane, from the onset until the pane of the onset closes.
  expect(all.length).toBeLessThanOrEqual(8)
  for (const [index, { at }] of all.entries()) expect(at - (all[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(2_500)
})

test('evidence, lineage and state are the same bytes with and without looking ahead', () => {
  const others = (said: readonly Said[]): readonly Said[] => said.filter(({ out }) => out.kind !== 'provisional')
  const looking = live({ fault: failing })
  const plain = live({ fault: failing, looks: false })
  expect(foreseen(looking.said).length).toBeGreaterThan(0)
  expect(foreseen(plain.said)).toEqual([])
  expect(others(looking.said)).toEqual(plain.said)
  expect(looking.saved).toEqual(plain.saved)
})

test('after a restart from a snapshot in the middle of an open pane the same is foreseen', () => {
  const straight = live({ fault: failing })
  for (const restartAt of [onset + stepMs, onset + 4_000, onset + paneMs]) {
    const restarted = live({ fault: failing, restartAt })
    expect(restarted.said).toEqual(straight.said)
    expect(restarted.saved).toEqual(straight.saved)
  }
})

test('against a baseline nothing is foreseen while closed panes are calm: an open pane may hold one source first', () => {
  const policy = inLongPanes([sinceTraining])
  const closed = breachedAt(live({ fault: longTrips, policy }).said)!
  expect(closed).toBe(onset + 2 * paneMs)
  expect(foreseen(live({ fault: longTrips, policy }).said)).toEqual([])
  // A slower fault: its first panes bring the guardrail on its way, and the next open one to its limit.
  const slow = (row: Row): Row => (row.distance >= 0 && slowly(row) ? { ...row, distance: 4 } : row)
  const { said } = live({ fault: slow, policy })
  const [first] = foreseen(said)
  expect(first!.at).toBeGreaterThanOrEqual(onset + 2 * paneMs)
  expect(first!.at).toBeLessThan(breachedAt(said)!)
})

test('silence is never foreseen, and a guardrail that only watches is not looked at', () => {
  // While the stable version's rows of a pane are there and the candidate's are not, the candidate seems silent.
  const silence = guardrail('volume', { signal: 'volume', detector: 'gap', action: 'hold' })
  const { said: late } = live({ policy: inLongPanes([silence]), panes: 13, candidateLast: true })
  expect(foreseen(late)).toEqual([])
  const watching = inLongPanes([guardrail('errors', { action: 'watch' })])
  const { said } = live({ fault: failing, policy: watching })
  expect(breachedAt(said)).toBe(onset + 2 * paneMs)
  expect(foreseen(said)).toEqual([])
})
