import {
  addPacked,
  type BaselineDocument,
  type DetectorSetup,
  type Guardrail,
  type GuardrailEvidence,
  layoutOf,
  type Policy,
  sha256,
  type Verdict,
  type VersionId,
} from '@interlock/contracts'
import { judge, limitOf } from '@interlock/deployment'
import { suggest } from '@interlock/policy'
import {
  detectorFor,
  plainCounts,
  plainSignal,
  resolveSignal,
  type SignalShape,
  wholeAndSlices,
} from '@interlock/statistics'
import type { CountsSource, MeasurementSource } from './source.ts'

/** What a rule says to given counts. */
export interface Measured {
  readonly verdict: Verdict
  /** ln of the evidence of harm after the last pane, and where the rule's part of the budget is spent. */
  readonly logE: number
  readonly limit: number
  /** The first pane with that verdict of breach; null where none is. */
  readonly breachAfter: number | null
}

/** A mistake in a measurement, at a key of it. */
export class MeasurementProblem extends Error {
  override readonly name = 'MeasurementProblem'
  readonly key: keyof MeasurementSource
  readonly instead: string
  constructor(key: keyof MeasurementSource, happened: string, instead: string) {
    super(happened)
    this.key = key
    this.instead = instead
  }
}

/** A version and a time that stand for any. */
const version = 'measured@now' as VersionId
const firstPane = 1_700_000_000_000

/**
 * The verdict of one rule alone on the same counts in each of n panes, by its real detector and the judgement of the
 * governor. Slices of the rule stay silent: their half of the weight counts as no evidence.
 *
 * @param baseline of the version, for names of bins and for rules against training; null where no rule needs it
 * @throws MeasurementProblem
 */
export function measure(policy: Policy, test: MeasurementSource, baseline: BaselineDocument | null): Measured {
  const guardrail = policy.guardrails.find(({ id }) => id === test.rule)
  if (guardrail === undefined) {
    const ids = policy.guardrails.map(({ id }) => id)
    throw new MeasurementProblem('rule', `the policy has no rule "${test.rule}"`, suggest(test.rule, ids, 'Rules'))
  }
  const signal = signalOf(guardrail, test, baseline)
  const now = countsOf('now', test.now, signal)
  if (guardrail.reference === 'stable' && test.stable === undefined)
    throw new MeasurementProblem(
      'stable',
      `"${test.rule}" compares with the stable version, and its counts are missing`,
      'Write "stable: { rows: …, events: … }".',
    )
  const reference =
    test.stable === undefined || guardrail.reference !== 'stable' ? null : countsOf('stable', test.stable, signal)
  const setup: DetectorSetup = {
    guardrail,
    signal: plainSignal(signal),
    baseline: guardrail.reference === 'baseline' ? baselineCounts(guardrail, baseline) : null,
    phi: guardrail.reference === 'baseline' ? (baseline?.phi[guardrail.signal] ?? 1) : 1,
    paneMs: policy.times.paneMs,
  }
  const detector = detectorFor(guardrail.detector)
  const limit = limitOf(policy, guardrail)
  const slices = guardrail.slices.length
  let state = detector.start(setup)
  let breachAfter: number | null = null
  let last: Pick<Measured, 'verdict' | 'logE'> = { verdict: 'no-data', logE: 0 }
  for (let pane = 0; pane < test.panes; pane++) {
    const start = firstPane + pane * policy.times.paneMs
    state = detector.update(setup, state, { start, ms: policy.times.paneMs, now, reference, coverage: 1 })
    const reading = detector.read(setup, state)
    const harm = slices === 0 ? reading.logE.harm : wholeAndSlices(reading.logE.harm, [], slices).logE
    const evidence: GuardrailEvidence = {
      guardrail: guardrail.id,
      ...{ version, variant: 'candidate', limit },
      evidence: { ...reading, logE: { ...reading.logE, harm }, dataTo: start, window: sha256('measured') },
    }
    const [judged] = judge(policy, { guardrails: [evidence] }, { stable: null, candidate: version }).judged
    last = { verdict: judged?.verdict ?? 'no-data', logE: harm }
    if (last.verdict === 'breach') breachAfter ??= pane + 1
  }
  return { ...last, limit, breachAfter }
}

function signalOf(
  { signal, reference, id }: Guardrail,
  test: MeasurementSource,
  baseline: BaselineDocument | null,
): SignalShape {
  if (baseline !== null) return resolveSignal(signal, baseline.spec, baseline.latencyLimitsMs)
  if (reference === 'baseline')
    throw new MeasurementProblem(
      'rule',
      `"${id}" compares with training, and no baseline is named`,
      'Write "baseline: <file>" at the top, or name one with --baseline.',
    )
  if (signal === 'volume') return { kind: 'volume' }
  if (!('bins' in test.now)) return { kind: 'rate' }
  const { bins } = test.now
  return { kind: 'histogram', bins: Array.isArray(bins) ? bins.map((_, bin) => String(bin)) : Object.keys(bins) }
}

/** The counts as the plain signal of that shape reads them. */
function countsOf(key: 'now' | 'stable', counts: CountsSource, signal: SignalShape): Float64Array {
  if (!('bins' in signal)) {
    if ('bins' in counts)
      throw new MeasurementProblem(
        key,
        'this rule counts rows and events, not bins',
        `Write "${key}: { rows: 500, events: 5 }".`,
      )
    if (signal.kind === 'volume') return Float64Array.of(counts.rows)
    if (counts.events === undefined || counts.events > counts.rows)
      throw new MeasurementProblem(
        key,
        'the events of these rows are missing, or more than the rows',
        `Write "${key}: { rows: 500, events: 5 }".`,
      )
    return Float64Array.of(counts.events, counts.rows)
  }
  if (!('bins' in counts))
    throw new MeasurementProblem(key, 'this rule looks at a shape', `Write "${key}: { bins: … }", rows by bin.`)
  const { bins } = counts
  if (Array.isArray(bins)) {
    if (bins.length > signal.bins.length)
      throw new MeasurementProblem(key, `${bins.length} bins are named; there are ${signal.bins.length}`, '')
    return Float64Array.from(signal.bins, (_, bin) => bins[bin] ?? 0)
  }
  for (const name of Object.keys(bins)) {
    if (!signal.bins.includes(name))
      throw new MeasurementProblem(key, `there is no bin "${name}"`, suggest(name, signal.bins, 'Bins'))
  }
  return Float64Array.from(signal.bins, (name) => bins[name] ?? 0)
}

function baselineCounts({ signal }: Guardrail, baseline: BaselineDocument | null): Float64Array | null {
  if (baseline === null) return null
  const whole = new Float64Array(layoutOf(baseline.spec).width)
  for (const { dimension, counts } of baseline.slices)
    if (dimension === 'producer') addPacked(Buffer.from(counts, 'base64'), whole)
  return plainCounts(resolveSignal(signal, baseline.spec, baseline.latencyLimitsMs), whole)
}
