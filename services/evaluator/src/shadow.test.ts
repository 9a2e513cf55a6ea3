import {
  type AnyOut,
  canonicalJson,
  contentHash,
  type EvidenceOut,
  encodeOut,
  type Policy,
  type WatchOut,
} from '@interlock/contracts'
import { expect, test } from 'vitest'
import { createEvaluator, stepBounds } from './processor.ts'
import type { Evaluated } from './state.ts'
import {
  baselineOf,
  countsOf,
  flights,
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

const start = 1_000_000
const perPane = 120
const endless = { reference: 'baseline', detector: 'dirichlet-baseline', budget: { falsePerYear: 4 } } as const
const errors = guardrail('errors', { slices: [], role: 'gate' })
const missing = guardrail('missing', { signal: 'missing(distance)', slices: [] })
const answers = guardrail('answers', { ...endless, signal: 'predictions', tolerance: { harm: 0.05, safe: 0 } })
const strict = guardrail('strict', { tolerance: { harm: 0.05, safe: 1 }, slices: ['segment:airport', 'producer'] })
const distance = guardrail('distance', {
  ...endless,
  signal: 'distribution(distance)',
  tolerance: { harm: 0.05, safe: 0 },
  slices: ['segment:airport'],
})

const inForce = policyOf([errors, missing, answers])
const onTrial = policyOf([errors, strict, distance])
const training = rowsOf(seeded(99), 20, 500)
const baselines = [v1, v2].map((version) => baselineOf(version, training))
const shadowOf = (policy: Policy) => ({ shadow: { hash: contentHash(policy), policy } })
const watch = watchOf({ from: start, policy: inForce, baselines })
const beside = { ...watch, ...shadowOf(onTrial) }

/** v2 fails more often from the tenth pane on. */
const traffic = Map.groupBy(
  rowsOf(seeded(11), 30, perPane).map((row) => {
    const breaks = row.version === v2 && row.pane >= 10_000 && row.score > 0.6
    return { ...row, pane: row.pane + start, failed: row.failed || breaks }
  }),
  ({ pane }) => pane,
)

interface Played {
  readonly outs: readonly AnyOut[]
  readonly evidence: readonly EvidenceOut[]
  readonly state: Evaluated
}

/** One step a pane; `watches` come with the panes they are named by, and a snapshot lies between any two steps. */
function play(panes: number, watches: Readonly<Record<number, WatchOut>>): Played {
  const evaluator = createEvaluator({ shards: 1, profilerShards: 1 })
  let state = evaluator.empty(0)
  const said: AnyOut[] = []
  for (let index = 0; index < panes + 2; index++) {
    const pane = start + index * 1_000
    const news = [watches[index]].filter((one) => one !== undefined)
    const batch = inputs(...news, ...countsOf(traffic.get(pane) ?? []), progressOf(0, pane))
    const [next, outs] = evaluator.step(state, batch, pane + 500, true)
    state = evaluator.load(evaluator.save(next), evaluator.version)
    said.push(...outs)
  }
  return { outs: said, evidence: said.filter((out) => out.kind === 'evidence'), state }
}

function withoutShadow(outs: readonly AnyOut[]): readonly string[] {
  return outs.map((out) => {
    const { shadow: _, ...rest } = out as AnyOut & { readonly shadow?: unknown }
    return Buffer.from(encodeOut(rest as AnyOut).value).toString('hex')
  })
}

test('everything else that is said has the same bytes with a policy on trial and without, through new watches too', () => {
  const later = { from: start + 15_000, candidate: null }
  const promoted = { ...watch, ...later, generation: 2, policy: onTrial }
  const alone = play(28, { 0: watch, 15: { ...watch, ...later }, 20: { ...promoted, from: start + 20_000 } })
  const tried = play(28, { 0: beside, 15: { ...beside, ...later }, 20: { ...promoted, from: start + 20_000 } })
  expect(tried.evidence.some(({ shadow }) => shadow !== undefined)).toBe(true)
  expect(alone.evidence.some(({ guardrails }) => guardrails.some((one) => one.evidence.logE.harm > one.limit))).toBe(
    true,
  )
  expect(withoutShadow(tried.outs)).toEqual(withoutShadow(alone.outs))
})

test('a policy on trial knows what it would know if it were in force from that pane on', () => {
  const tried = play(20, { 0: beside }).evidence
  const real = play(20, { 0: { ...watch, policy: onTrial } }).evidence
  expect(tried.map(({ shadow }) => shadow?.guardrails)).toEqual(real.map(({ guardrails }) => guardrails))
})

test('a rule that both have is counted once: the one on trial reads the history of the one in force', () => {
  const { state, evidence } = play(12, { 0: watch, 5: { ...beside, from: start + 5_000 } })
  const watched = state.deployments.get(flights)!
  const keysOf = (policy: Policy): number =>
    play(3, { 0: { ...watch, policy } }).state.deployments.get(flights)!.tracks.size
  expect(watched.tracks.size).toBe(keysOf(inForce))
  expect(watched.shadow?.tracks.size).toBe(keysOf(onTrial) - keysOf(policyOf([errors])))
  const of = (guardrails: EvidenceOut['guardrails'] | undefined) =>
    guardrails?.filter((one) => one.guardrail === 'errors')
  expect(of(evidence.at(-1)?.shadow?.guardrails)).toEqual(of(evidence.at(-1)?.guardrails))
})

test('another policy on trial, another generation and none at all begin anew', () => {
  const { state } = play(12, { 0: beside, 6: { ...beside, ...shadowOf(policyOf([strict])), from: start + 6_000 } })
  expect([...state.deployments.get(flights)!.shadow!.tracks.values()].map(({ since }) => since)).toEqual([
    start + 6_000,
  ])
  const next = play(12, { 0: beside, 6: { ...beside, generation: 2, from: start + 6_000 } }).state
  for (const { since } of next.deployments.get(flights)!.shadow!.tracks.values()) expect(since).toBe(start + 6_000)
  expect(
    play(12, { 0: beside, 6: { ...watch, from: start + 6_000 } }).state.deployments.get(flights),
  ).not.toHaveProperty('shadow')
})

test('in a backlog no pane waits for what is on trial: beyond its own bound a pane is said without it', () => {
  const evaluator = createEvaluator({ shards: 1, profilerShards: 1 })
  const closed = (news: WatchOut): readonly EvidenceOut[] => {
    const rows = [...traffic.values()].flat()
    const batch = inputs(news, ...countsOf(rows), progressOf(0, start + 3_600_000))
    return evaluator
      .step(evaluator.empty(0), batch, start + 3_600_000, true)[1]
      .filter((out) => out.kind === 'evidence')
  }
  const many = policyOf(Array.from({ length: 24 }, (_, index) => ({ ...strict, id: `rule-${index}` })))
  const crowded = closed({ ...watch, ...shadowOf(many) })
  const alone = closed(watch)
  expect(crowded).toHaveLength(alone.length)
  const said = crowded.flatMap(({ shadow }) => (shadow === undefined ? [] : [canonicalJson(shadow).length]))
  expect(said.length).toBeGreaterThan(0)
  expect(said.length).toBeLessThan(crowded.length)
  expect(said.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(stepBounds.shadowBytes)
})
