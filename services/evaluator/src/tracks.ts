import type { GuardrailEvidence } from '@interlock/contracts'
import { type EventTime, type Evidence, hashFields, isAmount, type WeeklyVolume } from '@interlock/contracts'
import { usualRows } from '@interlock/statistics'
import { added } from './added.ts'
import { type ClosedPane, groupKey, isServing, type SummedPane } from './closed-pane.ts'
import { medians } from './medians.ts'
import type { Plan, Sight, Subject } from './plan.ts'
import { type Joined, moveSlices } from './slices.ts'
import { moveSources, startSources, weighSources } from './sources.ts'
import type { Track } from './state.ts'

/** Evidence, in nats, from which on an explanation is given: below it there is nothing to explain. */
const explainFromLogE = 1

/** A guardrail's history before its first pane. */
export function startTrack({ role, sight }: Subject, since: EventTime): Track {
  const whole = sight === null ? null : sight.detector.start(sight.setup)
  return {
    since,
    variant: role === 'stable' ? 'stable' : 'shadow',
    whole,
    slices: new Map(),
    withoutOne: sight === null ? null : startSources(sight),
  }
}

/**
 * The track after one more closed pane. Detectors move once a closed pane, in pane order, whatever the steps were. A pane
 * that was not wholly seen reaches only the detector of the whole, which says so and moves no evidence.
 *
 * @param before the whole panes before this one that slices may not have moved over yet, oldest first
 */
export function moveTrack(
  plan: Plan,
  subject: Subject,
  track: Track,
  before: readonly SummedPane[],
  pane: ClosedPane,
): Track {
  const { sight } = subject
  const variant = variantIn(subject, track, pane)
  if (sight === null) return { ...track, variant }
  const nowKey = groupKey(subject.version, variant === 'shadow' ? 'shadow' : 'serving')
  const againstKey = subject.against === null ? null : groupKey(subject.against, 'serving')
  const now = isAmount(subject.guardrail) ? answered(plan, pane) : (pane.groups.get(nowKey)?.whole ?? plan.zero)
  const against = againstKey === null ? null : (pane.groups.get(againstKey)?.whole ?? plan.zero)
  const hourly = sight.volume === null ? null : expectedIn(sight.volume, plan, track, now, pane)
  const { start, ms, coverage } = pane
  const expected = hourly === null ? {} : { expected: hourly.expected }
  const seen = { start, ms, now, reference: against, coverage, ...expected }
  const whole = sight.detector.update(sight.setup, track.whole, seen)
  if (coverage < 1) return { ...track, variant, whole }
  const groups = { now: nowKey, against: againstKey }
  return {
    since: track.since,
    variant,
    whole,
    ...(hourly === null ? {} : { part: hourly.part }),
    slices: moveSlices(plan, sight, track, [...before, pane], groups),
    withoutOne: moveSources(sight, track.withoutOne, seen, pane, groups),
  }
}

/** Weight that a version's past part keeps in a pane. */
const partKept = 0.9

/**
 * Rows that the hour of the week leaves to expect of a version. A version with a part of the traffic answers that part of
 * them, so a ramp is no change of volume: while it answers its part is that of this very pane, and what is judged is the
 * traffic as a whole. Where it does not answer, it is held against the part that it had.
 */
function expectedIn(
  volume: WeeklyVolume,
  plan: Plan,
  track: Track,
  now: Float64Array,
  pane: ClosedPane,
): { readonly expected: number; readonly part: number } {
  let all = 0
  for (const [key, { whole }] of pane.groups) if (isServing(key)) all += whole[plan.layout.rows] as number
  const own = now[plan.layout.rows] as number
  const known = track.part
  const part = all === 0 ? (known ?? 1) : own / all
  const faded = all === 0 || known === undefined ? part : partKept * known + (1 - partKept) * part
  return { expected: usualRows(volume, pane.start, pane.ms) * (own > 0 ? part : (known ?? part)), part: faded }
}

/** What all versions answered together; shadow copies are nobody's traffic. */
function answered(plan: Plan, { groups }: ClosedPane): Float64Array {
  return [...groups].reduce((sum, [key, { whole }]) => (isServing(key) ? added(sum, whole) : sum), plan.zero)
}

/**
 * A candidate's rows are taken from its shadow copies until the first pane in which it answers somebody, and from its answers
 * ever after: one evidence product a generation. The choice looks at the presence of rows only, never at what they say.
 */
function variantIn({ role, version }: Subject, track: Track, pane: ClosedPane): Track['variant'] {
  if (role === 'stable') return 'stable'
  const answers = pane.groups.has(groupKey(version, 'serving')) || track.variant !== 'shadow'
  return answers ? 'candidate' : 'shadow'
}

/** What the guardrail knows after the pane. Without sight it has no data, which is never a pass. */
export function readTrack(
  plan: Plan,
  subject: Subject,
  track: Track,
  pane: ClosedPane,
  identity: { readonly deployment: string; readonly generation: number },
): GuardrailEvidence {
  const { guardrail, version, sight, limit, role } = subject
  const end = pane.start + pane.ms
  const variant = role === 'stable' ? 'stable' : track.variant
  const window = hashFields(
    plan.environment,
    identity.deployment,
    identity.generation,
    version,
    variant,
    guardrail.slices.join(','),
    guardrail.signal,
    plan.specHash,
    track.since,
    end,
  )
  if (sight === null) {
    return { guardrail: guardrail.id, version, variant, limit, evidence: { ...noData(pane), dataTo: end, window } }
  }
  const whole = sight.detector.read(sight.setup, track.whole)
  const { joined, influence, alone } = weighSources(sight, whole, track, limit)
  const status = pane.coverage < 1 ? 'incomplete' : whole.status
  const explains = Math.max(joined.logE.harm, whole.logE.harm, alone?.logE ?? 0) >= explainFromLogE
  const { logE, lead, leadSlice } = joined
  const typical = explains ? typicalOf(sight, joined) : undefined
  const evidence: Evidence = {
    status,
    logE,
    effect: lead.effect,
    n: lead.n,
    m: lead.m,
    events: lead.events,
    phi: whole.phi,
    onset: lead.onset,
    ...(lead.since === undefined ? {} : { since: countsSince(lead.since) }),
    drivers: explains ? joined.drivers : [],
    ...(typical === undefined ? {} : { typical }),
    ...(leadSlice === null ? {} : { slice: leadSlice }),
    ...(explains && influence.length > 0 ? { influence } : {}),
    ...(alone === null ? {} : { alone }),
    dataTo: end,
    window,
  }
  return { guardrail: guardrail.id, version, variant, evidence, limit }
}

function noData(pane: ClosedPane): Omit<Evidence, 'dataTo' | 'window'> {
  return {
    status: pane.coverage < 1 ? 'incomplete' : 'no-data',
    logE: { harm: 0, safe: 0 },
    effect: { estimate: 0, low: 0, high: 0 },
    n: 0,
    m: 0,
    events: { now: 0, reference: 0 },
    phi: 1,
    onset: null,
    drivers: [],
  }
}

function countsSince({ from, n, m, events }: NonNullable<Evidence['since']>): NonNullable<Evidence['since']> {
  return { from, n, m, events }
}

/** Medians since the onset: of the slice that carries the evidence, or of the whole. */
function typicalOf({ setup: { signal }, edges }: Sight, { lead }: Joined): Evidence['typical'] {
  const bins = lead.since?.bins
  if (edges === null || bins === undefined || signal.kind !== 'histogram') return undefined
  const inOrder = (counts: readonly number[]): readonly number[] =>
    (signal.ordered ?? []).map((bin) => counts[bin] ?? 0)
  return medians(edges, inOrder(bins.now), inOrder(bins.reference))
}
