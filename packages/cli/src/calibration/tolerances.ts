import { addPacked, type BaselineDocument, type Guardrail, layoutOf, type SignalView } from '@interlock/contracts'
import { bettingInterval, divergence, endsOf, rateRatio, resolveSignal } from '@interlock/statistics'

/** Counts of a block of healthy time by slice: `sliceKey` → counts. The whole is under `whole`. */
export interface Block {
  /** Such as 2001-04-01. */
  readonly name: string
  readonly counts: ReadonlyMap<string, Float64Array>
}
export const whole = 'all rows'

/** A rule's tolerance beside what healthy blocks do. */
export interface ToleranceFound {
  readonly guardrail: string
  readonly signal: string
  readonly tolerance: number
  /** The largest healthy effect: for a rate how much more than the baseline, for a histogram nats. Null: nothing to see. */
  readonly largest: {
    readonly effect: number
    readonly upper: number
    readonly where: string
    readonly block: string
  } | null
  /** The upper end of the largest healthy effect, rounded up: a tolerance at which no block would have been harm. */
  readonly proposed: number | null
  readonly blocks: number
}

/** Fewer rows, or fewer expected events, than this say nothing of a block's effect. */
const fewestRows = 200
const fewestEvents = 10
const alpha = 0.05

/**
 * The largest effect that healthy blocks have, for each rule that is held against a baseline: over the whole and the slices
 * that it looks into. What is held against `stable` cannot be told from one version's history.
 */
export function tolerancesOf(
  guardrails: readonly Guardrail[],
  baseline: BaselineDocument,
  blocks: readonly Block[],
): readonly ToleranceFound[] {
  const reference = baselineCounts(baseline)
  return guardrails
    .filter((guardrail) => guardrail.reference === 'baseline')
    .map((guardrail) => {
      const signal = resolveSignal(guardrail.signal, baseline.spec, baseline.latencyLimitsMs)
      const looked = [...reference.keys()].filter((key) => key === whole || guardrail.slices.includes(dimensionOf(key)))
      const effects = blocks.flatMap(({ name, counts }) =>
        looked.flatMap((where) => {
          const now = counts.get(where)
          const effect = now === undefined ? null : effectOf(signal, reference.get(where)!, now)
          return effect === null ? [] : [{ ...effect, where, block: name }]
        }),
      )
      const largest = effects.reduce<(typeof effects)[0] | null>(
        (most, each) => (most === null || each.effect > most.effect ? each : most),
        null,
      )
      return {
        guardrail: guardrail.id,
        signal: guardrail.signal,
        tolerance: guardrail.tolerance.harm,
        largest,
        proposed: largest === null ? null : roundedUp(Math.max(0, largest.upper)),
        blocks: new Set(effects.map(({ block }) => block)).size,
      }
    })
}

/** Name of a slice, for people and for `Block.counts`. */
export function sliceName(dimension: string, value: string): string {
  return `${dimension} ${value}`
}

function dimensionOf(name: string): string {
  return name.slice(0, name.indexOf(' '))
}

function baselineCounts({ spec, slices }: BaselineDocument): ReadonlyMap<string, Float64Array> {
  const { width } = layoutOf(spec)
  const all = new Float64Array(width)
  const counts = new Map([[whole, all]])
  for (const { dimension, value, counts: packed } of slices) {
    const bytes = Buffer.from(packed, 'base64')
    const own = new Float64Array(width)
    addPacked(bytes, own)
    counts.set(sliceName(dimension, value), own)
    if (dimension === 'producer') addPacked(bytes, all)
  }
  return counts
}

function effectOf(
  signal: SignalView,
  reference: Float64Array,
  now: Float64Array,
): { readonly effect: number; readonly upper: number } | null {
  switch (signal.kind) {
    case 'volume':
      return null
    case 'rate': {
      const [past, present] = [signal.read(reference), signal.read(now)]
      const share = present.trials / (present.trials + past.trials)
      if (present.trials < fewestRows || (past.events / past.trials) * present.trials < fewestEvents) return null
      const { estimate, high } = rateRatio({
        events: present.events,
        referenceEvents: past.events,
        weighted: present.events * (1 - share),
        referenceWeighted: past.events * share,
        share,
        alpha,
      })
      return { effect: estimate - 1, upper: high - 1 }
    }
    case 'histogram': {
      const [past, present] = [signal.read(reference), signal.read(now)]
      const [m, n] = [total(past), total(present)]
      if (n < fewestRows || m < fewestRows) return null
      const { estimate, high } = divergence({ bins: past, rows: m }, { bins: present, rows: n }, 1, alpha)
      return { effect: estimate, upper: high }
    }
    case 'mean': {
      const [past, present] = [signal.read(reference), signal.read(now)]
      const [m, n] = [total(past), total(present)]
      if (n < fewestRows || m < fewestRows) return null
      const ends = endsOf(signal.edges)
      const mean = (counts: Float64Array): number =>
        counts.reduce((sum, count, bin) => sum + count * (ends.lower[bin]! + ends.upper[bin]!), 0) / (2 * total(counts))
      const usual = mean(past)
      const [low, high] = bettingInterval(present, ends, alpha, 1)
      return { effect: Math.abs(mean(present) - usual), upper: Math.max(usual - low, high - usual) }
    }
  }
}

function total(bins: Float64Array): number {
  return bins.reduce((a, b) => a + b, 0)
}

/** Two significant digits, upwards. */
function roundedUp(value: number): number {
  if (value === 0) return 0
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1)
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(2))
}
