import {
  type BaselineBatch,
  countPanes,
  designEffect,
  designEffects,
  hourlyVolume,
  type PaneCounts,
} from '@interlock/columns'
import {
  type AgentId,
  addPacked,
  type BaselineDocument,
  contentHash,
  type DeploymentId,
  type EventTime,
  layoutOf,
  type PersonId,
  type Policy,
  type WatchOut,
} from '@interlock/contracts'
import { Trial } from '@interlock/evaluator'
import { detectorFor, resolveSignal, whyNot } from '@interlock/statistics'
import { Bystander, type FalseActions, type Nearest } from './false-actions.ts'
import { type Block, sliceName, type ToleranceFound, tolerancesOf, whole } from './tolerances.ts'

export const dayMs = 86_400_000
const hourMs = 3_600_000
/** Whole weeks are drawn where there are so many: a bootstrap of single days would mix weekdays. */
const weeksForWeeks = 8
/** Empty panes are panes too: a stray time years away must not make millions of them. */
export const mostPanes = 1_000_000

export interface CalibrationRequest {
  readonly policy: Policy
  readonly baseline: BaselineDocument
  readonly batches: readonly BaselineBatch[]
  /** Length of a pane; longer than the policy's where the history is long. */
  readonly paneMs: number
  readonly utcOffsetMinutes: number
  /** Resampled time, ms; 0: none. */
  readonly bootstrapMs: number
  /** 0 … 1 */
  readonly random: () => number
}

export interface Watched {
  readonly ms: number
  readonly panes: number
  readonly actions: readonly FalseActions[]
  readonly nearest: readonly Nearest[]
}

export interface Calibration {
  readonly from: EventTime
  readonly to: EventTime
  readonly rows: number
  /** The history as it was. */
  readonly seen: Watched
  /** The history in blocks drawn with replacement, from `blockMs` long ones; null where none was asked for. */
  readonly drawn: (Watched & { readonly blockMs: number }) | null
  readonly tolerances: readonly ToleranceFound[]
  /** The baseline with what the history says of dispersion and of the hours of the week. */
  readonly baseline: BaselineDocument
}

/**
 * Runs the rules of a policy that watch without end over healthy history: real panes through the counting kernel, the real
 * detectors with their slices and limits, the governor's own judgement. Everything that acts is false.
 *
 * They run with the design effects of the given baseline. Those of the history (of its days or its hours, the larger, and never
 * below the baseline's) go into a new one: judged by themselves, days that differ would excuse each other.
 *
 * @throws BaselineProblem where the history does not fit the baseline's columns
 */
export function calibrate(request: CalibrationRequest): Calibration | { readonly refused: string } {
  const { baseline: given, batches, paneMs, bootstrapMs } = request
  const panes = countPanes(given.spec, batches, paneMs)
  const [first, last] = [panes[0], panes.at(-1)]
  if (first === undefined || last === undefined) return { refused: 'no row of the history has a time' }
  const [from, to] = [first.start, last.start + paneMs]
  const most = Math.max(to - from, bootstrapMs) / paneMs
  if (most > mostPanes)
    return {
      refused: `it would be ${Math.round(most)} panes, and ${mostPanes} are possible: choose longer ones with --pane`,
    }
  const policy: Policy = {
    ...request.policy,
    guardrails: request.policy.guardrails.filter(({ reference }) => reference !== 'stable'),
    times: { ...request.policy.times, paneMs },
  }
  const blocks: Blocks = {
    days: blocksOf(given, panes, policy, dayMs),
    hours: paneMs > hourMs ? [] : blocksOf(given, panes, { guardrails: [] }, hourMs),
  }
  const baseline = withDispersion(given, policy, blocks, request)
  const byStart = new Map(panes.map((pane) => [pane.start, pane]))
  const whatHappened = (order: readonly EventTime[]): Watched =>
    bystand(
      policy,
      given,
      from,
      order.map((drawn) => byStart.get(drawn) ?? null),
    )
  const inOrder = Array.from({ length: Math.round((to - from) / paneMs) }, (_, index) => from + index * paneMs)
  return {
    from,
    to,
    rows: panes.reduce((sum, { rows }) => sum + rows, 0),
    seen: whatHappened(inOrder),
    drawn: bootstrapMs > 0 ? draw(inOrder, request, whatHappened) : null,
    tolerances: tolerancesOf(policy.guardrails, baseline, [...blocks.days, ...blocks.hours]),
    baseline,
  }
}

/**
 * What the rules of a policy do on panes of one version that follow each other, by the real detectors and the governor's own
 * judgement.
 *
 * @param panes null: nobody was answered
 */
export function bystand(
  policy: Policy,
  baseline: BaselineDocument,
  from: EventTime,
  panes: readonly (Pick<PaneCounts, 'rows' | 'slices'> | null)[],
): Watched {
  const { version } = baseline
  const { paneMs } = policy.times
  const trial = new Trial(watchOf(policy, baseline), { detectorFor, resolveSignal, whyNot })
  const bystander = new Bystander(policy, { stable: version, candidate: null })
  for (const [index, pane] of panes.entries()) {
    // Time goes on where a block of the past is drawn; whole blocks keep their hour, and weeks their weekday.
    const at = from + index * paneMs
    bystander.see(at, trial.close(at, pane === null ? [] : [{ ...pane, version }]))
  }
  return { ms: panes.length * paneMs, panes: panes.length, actions: bystander.actions(), nearest: bystander.nearest() }
}

function draw(
  inOrder: readonly EventTime[],
  { paneMs, bootstrapMs, random }: CalibrationRequest,
  whatHappened: (order: readonly EventTime[]) => Watched,
): Calibration['drawn'] {
  const days = Math.floor((inOrder.length * paneMs) / dayMs)
  const blockMs = days >= 7 * weeksForWeeks ? 7 * dayMs : dayMs
  const size = Math.max(1, Math.round(blockMs / paneMs))
  const starts = Math.max(1, Math.floor(inOrder.length / size))
  const order: EventTime[] = []
  while (order.length * paneMs < bootstrapMs) {
    const at = size * Math.floor(random() * starts)
    order.push(...inOrder.slice(at, at + size))
  }
  return { ...whatHappened(order), blockMs }
}

/**
 * Days differ by what happens, and hours by what is usual: a rule meets both, since its evidence may begin with any pane.
 * Slices are looked into by day; in an hour they have few rows.
 */
interface Blocks {
  readonly days: readonly Block[]
  readonly hours: readonly Block[]
}

/** Blocks in UTC, with the whole and the slices that a rule looks into. */
function blocksOf(
  { spec }: BaselineDocument,
  panes: readonly PaneCounts[],
  policy: Pick<Policy, 'guardrails'>,
  ms: number,
): readonly Block[] {
  const { width } = layoutOf(spec)
  const dimensions = new Set(policy.guardrails.flatMap(({ slices }) => slices))
  const blocks = Map.groupBy(panes, ({ start }) => Math.floor(start / ms))
  return [...blocks].map(([block, parts]) => {
    const counts = new Map<string, Float64Array>()
    const add = (name: string, packed: Uint8Array): void => {
      const sum = counts.get(name) ?? new Float64Array(width)
      counts.set(name, sum)
      addPacked(packed, sum)
    }
    for (const { dimension, value, counts: packed } of parts.flatMap(({ slices }) => slices)) {
      if (dimension === 'producer') add(whole, packed)
      if (dimensions.has(dimension)) add(sliceName(dimension, value), packed)
    }
    return { name: new Date(block * ms).toISOString().slice(0, ms < dayMs ? 16 : 10), counts }
  })
}

/** What the days and hours of the history say of dispersion, where it is more than the baseline knew: whole, slices, hours. */
function withDispersion(
  given: BaselineDocument,
  { guardrails }: Policy,
  { days, hours }: Blocks,
  { batches, utcOffsetMinutes }: CalibrationRequest,
): BaselineDocument {
  const windows = (name: string, blocks = days): Float64Array[] =>
    blocks.flatMap(({ counts }) => (counts.has(name) ? [counts.get(name)!] : []))
  const hourly = hourlyVolume(batches, utcOffsetMinutes)
  const effectsOf = (blocks: readonly Block[]) =>
    designEffects(given.spec, given.latencyLimitsMs, windows(whole, blocks))
  const phi = larger(larger(given.phi, effectsOf(hours)), {
    ...effectsOf(days),
    ...(hourly === null ? {} : { volume: hourly.phi }),
  })
  const sliced = guardrails.filter(({ reference, slices }) => reference === 'baseline' && slices.length > 0)
  const slices = given.slices.map((slice) => {
    const signals = sliced.filter((guardrail) => guardrail.slices.includes(slice.dimension)).map(({ signal }) => signal)
    if (signals.length === 0) return slice
    const own = windows(sliceName(slice.dimension, slice.value))
    const effects = signals.map((name) => {
      const signal = resolveSignal(name, given.spec, given.latencyLimitsMs)
      const bins = own.map((counts) => (signal.kind === 'volume' ? counts : binsOf(signal.read(counts))))
      return [name, designEffect(bins)] as const
    })
    return { ...slice, phi: larger(slice.phi ?? {}, Object.fromEntries(effects)) }
  })
  return { ...given, phi, slices, ...(hourly === null ? {} : { volume: hourly.volume }) }
}

function binsOf(read: Float64Array | { readonly events: number; readonly trials: number }): Float64Array {
  return read instanceof Float64Array ? read : Float64Array.of(read.events, read.trials - read.events)
}

function larger(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .sort()
      .map((name) => [name, Math.max(a[name] ?? 1, b[name] ?? 1)]),
  )
}

/** A watch of one version, as the governor would send it. Nobody is told of it. */
function watchOf(policy: Policy, baseline: BaselineDocument): WatchOut {
  const { version, spec, specHash } = baseline
  const nobody = 'nobody' as PersonId
  const deployment = 'calibration' as DeploymentId
  return {
    kind: 'watch',
    deployment,
    document: {
      kind: 'deployment',
      deployment,
      environment: 'calibration',
      tenant: 'calibration',
      owner: nobody,
      onCall: nobody,
      approver: nobody,
      riskClass: policy.riskClass,
      topics: { predictions: 'history' },
      mapping: {},
      segments: spec.segments.map(({ name }) => name),
      platform: { kind: 'memory', agent: 'nobody' as AgentId },
      stable: version,
    },
    generation: 1,
    stable: version,
    candidate: null,
    spec,
    specHash,
    policyHash: contentHash(policy),
    policy,
    baselines: [baseline],
    from: 0,
  }
}
