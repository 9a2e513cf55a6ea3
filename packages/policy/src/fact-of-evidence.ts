import {
  categoricalSpecials,
  type Driver,
  type Evidence,
  type Guardrail,
  type GuardrailEvidence,
  riskClasses,
  type Verdict,
  type WatchOut,
} from '@interlock/contracts'
import { ln } from '@interlock/statistics'
import { nameOfFeature, nameOfRow, nameOfRule } from './rule-name.ts'
import type { JudgedFact, MeasuredFact } from './say/fact.ts'
import { readSignal } from './signal-name.ts'

/** What a deployment's watch knows besides the evidence. */
export type WatchContext = Pick<WatchOut, 'policy' | 'spec' | 'stable' | 'baselines'>

/** A slice is named as the place where it happens when it holds at least so much of the excess. */
const tellingShare = 0.5

/**
 * The fact behind one guardrail's evidence, for `say`: a measurement where it is breached, else where it stands.
 *
 * @param verdict what the governor made of the evidence
 * @param watch the deployment's watch in force
 */
export function factOfEvidence(
  evidence: GuardrailEvidence,
  guardrail: Guardrail,
  verdict: Verdict,
  watch: WatchContext,
): MeasuredFact | JudgedFact {
  const { version, limit } = evidence
  const { logE, n, status, onset, dataTo } = evidence.evidence
  const rule = nameOfRule(guardrail, watch.policy)
  const safeLimit = ln(1 / riskClasses[watch.policy.riskClass].safeAlpha)
  switch (verdict) {
    case 'pass':
      return guardrail.role === 'gate' && logE.safe >= safeLimit
        ? { kind: 'gate-safe', rule, version }
        : { kind: 'within-limit', rule, version }
    case 'watch':
      return { kind: 'towards-limit', rule, version, progress: fraction(logE.harm, limit) }
    case 'inconclusive': {
      if (n < guardrail.minimumSample || guardrail.role !== 'gate') {
        const needed = n < guardrail.minimumSample ? guardrail.minimumSample : null
        return { kind: 'not-enough-data', rule, version, n, needed, readyInMs: null }
      }
      return {
        kind: 'gate-not-yet',
        rule,
        version,
        n,
        needed: neededFor(n, logE.safe, safeLimit),
        progress: fraction(logE.safe, safeLimit),
      }
    }
    case 'no-data': {
      const reason = status === 'incomplete' ? 'incomplete' : 'no-data'
      return { kind: 'rule-not-watched', rule, version, since: onset?.from ?? dataTo, reason }
    }
    case 'breach':
      return measured(evidence, guardrail, watch)
  }
}

function measured(
  { version, evidence, limit }: GuardrailEvidence,
  guardrail: Guardrail,
  watch: WatchContext,
): MeasuredFact {
  const { kind, of } = readSignal(guardrail.signal) ?? { kind: guardrail.signal, of: [] }
  const rows = nameOfRow(watch.policy)
  if (guardrail.detector === 'gap') {
    return { kind: 'silence', version, last: evidence.onset?.from ?? null, at: evidence.dataTo, rows }
  }
  const slice =
    evidence.slice ?? evidence.drivers.find(({ dimension, share }) => dimension !== 'bin' && share >= tellingShare)
  const shared = {
    version,
    than: guardrail.reference === 'stable' ? watch.stable : null,
    ...beginningOf(evidence),
    where: slice === undefined ? null : slice.dimension.replace(/^segment:/, ''),
    whereValue: slice?.value ?? null,
    whereOnly: evidence.slice !== undefined,
    ...partOf(evidence.drivers, slice),
    ...oddsOf(evidence.logE.harm - limit, guardrail.budget),
  }
  const { n, m, events } = evidence.since ?? evidence
  const rates = { now: ratio(events.now, n), before: ratio(events.reference, m) }
  const [feature = ''] = of
  const name = nameOfFeature(feature, watch.policy)
  switch (kind) {
    case 'volume':
      return { kind: 'amount-differs', ...shared, rows, now: events.now, before: events.reference }
    case 'mean': {
      const unit = feature === 'score' ? null : unitOf(feature, watch)
      const by = evidence.effect.estimate * spanOf(feature, watch)
      return { kind: 'mean-moved', ...shared, feature: feature === 'score' ? 'score' : name, unit, by }
    }
    case 'errors':
      return { kind: 'error-rate', ...shared, ...rates, rows }
    case 'duplicates':
      return { kind: 'duplicate-rate', ...shared, ...rates, rows }
    case 'missing':
      return { kind: 'feature-missing', ...shared, ...rates, rows, feature: name }
    case 'unseen':
      return { kind: 'feature-unseen', ...shared, ...rates, rows, feature: name }
    case 'invalid':
      return { kind: 'feature-invalid', ...shared, ...rates, rows, feature: name }
    case 'latency-over': {
      const quantile = feature === 'p50' || feature === 'p90' ? feature : 'p99'
      const reference = watch.baselines.find((baseline) => baseline.version === watch.stable) ?? watch.baselines[0]
      return {
        kind: 'slow-answers',
        ...shared,
        ...rates,
        quantile,
        limitMs: reference?.latencyLimitsMs[quantile] ?? null,
      }
    }
    case 'predictions': {
      const driver = leading(evidence.drivers)
      return {
        kind: 'predictions-differ',
        ...shared,
        ...driver,
        rows,
        bin: quotedCategory(driver.bin, watch.spec.classes),
      }
    }
    default: {
      const driver = leading(evidence.drivers)
      const spec = watch.spec.features.find((one) => one.name === feature)
      const bin = quotedCategory(driver.bin, spec?.kind === 'categorical' ? spec.vocabulary : [])
      const { typical } = evidence
      const factor =
        typical !== undefined && typical.reference > 0 && typical.now > 0 ? typical.now / typical.reference : null
      return {
        kind: 'distribution-differs',
        ...shared,
        ...driver,
        rows,
        feature: name,
        unit: unitOf(feature, watch),
        bin,
        factor,
      }
    }
  }
}

/** What part of the excess the named slice holds, with what part of the rows. */
function partOf(
  drivers: readonly Driver[],
  slice: { readonly dimension: string; readonly value: string } | undefined,
): Pick<Extract<MeasuredFact, { kind: 'error-rate' }>, 'whereShare' | 'whereTraffic'> {
  const driver = drivers.find(({ dimension, value }) => dimension === slice?.dimension && value === slice.value)
  if (driver?.traffic === undefined) return {}
  return { whereShare: driver.share, whereTraffic: driver.traffic }
}

/** The likeliest beginning, from which on everything was counted, as wide a span as the onset is known to. */
function beginningOf({ onset, since }: Evidence): { readonly since: number | null; readonly sinceTo: number | null } {
  if (onset === null) return { since: null, sinceTo: null }
  const from = since?.from ?? onset.from
  return { since: from, sinceTo: from + (onset.to - onset.from) }
}

/** The bin with most of the distance and its shares on both sides. */
function leading(drivers: readonly Driver[]): {
  readonly bin: string | null
  readonly now: number
  readonly before: number
} {
  let best: Driver | null = null
  for (const driver of drivers) {
    if (driver.dimension === 'bin' && (best === null || driver.share > best.share)) best = driver
  }
  return best === null ? { bin: null, now: 0, before: 0 } : { bin: best.value, now: best.now, before: best.reference }
}

/** A category stands in quotes, so that one called "1 to 5" or "missing" is not read as a range or a special bin. */
function quotedCategory(bin: string | null, categories: readonly string[]): string | null {
  if (bin === null || bin === pooledCategory || (categoricalSpecials as readonly string[]).includes(bin)) return bin
  return categories.includes(bin) ? `"${bin}"` : bin
}

/** Entry of a vocabulary that stands for all rare values. */
const pooledCategory = '__other__'

function unitOf(feature: string, { policy }: WatchContext): string | null {
  if (feature === 'latency') return 'ms'
  const features = policy.words?.features ?? {}
  return Object.hasOwn(features, feature) ? (features[feature]!.unit ?? null) : null
}

/** Range that a mean's move is a part of: between the first and the last edge, of latency up to the baseline's p99. */
function spanOf(feature: string, { spec, baselines, stable }: WatchContext): number {
  const edges = edgesOf(feature, spec)
  const limits = (baselines.find(({ version }) => version === stable) ?? baselines[0])?.latencyLimitsMs
  const last = feature === 'latency' ? limits?.p99 : edges.at(-1)
  return (last ?? 0) - (edges[0] ?? 0)
}

function edgesOf(feature: string, { features, latencyEdgesMs, scoreEdges }: WatchOut['spec']): readonly number[] {
  if (feature === 'latency') return latencyEdgesMs
  if (feature === 'score') return scoreEdges
  const one = features.find(({ name }) => name === feature)
  return one?.kind === 'numeric' ? one.edges : []
}

type Odds = Pick<Extract<MeasuredFact, { kind: 'error-rate' }>, 'odds' | 'oddsOf'>

/**
 * How sure, from how far the evidence is beyond its limit: at the limit the whole budget of the deployment is spent,
 * and evidence e times higher is e times rarer. Rounded down to 1, 2 or 5 times a power of ten.
 *
 * @param beyond ln evidence − ln limit
 */
export function oddsOf(beyond: number, budget: Guardrail['budget']): Odds {
  if (beyond < 0) return { odds: null, oddsOf: null }
  if ('alpha' in budget) return { odds: roundedDown(beyond - ln(budget.alpha), mostRollouts), oddsOf: 'rollouts' }
  const years = beyond - ln(budget.falsePerYear)
  if (years >= 0) return { odds: roundedDown(years, mostYears), oddsOf: 'years' }
  const days = roundedDown(years + ln(365), 365)
  return days === null ? { odds: null, oddsOf: null } : { odds: days, oddsOf: 'days' }
}

/** Beyond these nobody can check the claim. */
const mostRollouts = 1_000_000
const mostYears = 1_000

/** The largest of 1, 2, 5, 10, 20, … whose logarithm is at most `logN` (within rounding), or null below 1. */
function roundedDown(logN: number, most: number): number | null {
  let best: number | null = null
  for (let ten = 1; ten <= most; ten *= 10) {
    for (const step of [1, 2, 5]) if (ten * step <= most && ln(ten * step) <= logN + 1e-9) best = ten * step
  }
  return best
}

/** Rows at which evidence that grows evenly would reach the limit, up to two digits; null where it does not grow. */
function neededFor(n: number, logE: number, limit: number): number | null {
  if (logE <= 0) return null
  const needed = (n * limit) / logE
  if (needed > 1e9) return null
  let ten = 1
  while (needed / ten >= 100) ten *= 10
  return Math.ceil(needed / ten) * ten
}

function fraction(logE: number, limit: number): number {
  return limit <= 0 ? 0 : Math.min(1, Math.max(0, logE / limit))
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(1, part / whole)
}
