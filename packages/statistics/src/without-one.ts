import type { Detector, DetectorPane, DetectorReading, DetectorSetup, SignalView } from '@interlock/contracts'

/** A source with more of the rows than this is no small one: what it shows is harm to many, and may decide. */
export const mostOfOneSource = 0.1

/** One detector and what it reads now. */
export interface Run {
  readonly state: DetectorState
  readonly reading: DetectorReading
}
type DetectorState = ReturnType<Detector['start']>

/** Rows and events of one source in both arms since the start. */
export interface SourceSums {
  readonly n: number
  readonly m: number
  readonly events: number
  readonly referenceEvents: number
}

/** A guardrail's evidence without any one of its sources, in a fixed order of sources. */
export interface WithoutOne {
  readonly sums: readonly SourceSums[]
  /** Left out of the next pane by all runs, by its place: the source that so far hides most. */
  readonly suspect: number | null
  /** Without the suspect of each pane. */
  readonly guarded: Run
  /** Without the suspect of each pane, and never with this source. */
  readonly rest: readonly Run[]
}

/** Counts of one source in a pane. `reference` null where it had no row. */
export interface SourcePane {
  readonly now: Float64Array | null
  readonly reference: Float64Array | null
}

export function startWithoutOne(detector: Detector, setup: DetectorSetup, sources: number): WithoutOne {
  const state = detector.start(setup)
  const run = { state, reading: detector.read(setup, state) }
  return {
    sums: Array.from({ length: sources }, () => none),
    suspect: null,
    guarded: run,
    rest: Array.from({ length: sources }, () => run),
  }
}

/**
 * Moves all runs over one whole pane, each over the whole less the counts of the sources that it leaves out.
 *
 * Two sources may be left out of a pane by every run. The suspect is chosen from the panes before it: the small source whose
 * absence leaves more evidence. A choice that looks at the past only keeps every conditional mean. The outlier is the
 * small source whose rows of this very pane are furthest from the others' (it fails more often; its bins differ), both arms
 * counted together. Given what each source sent to both arms together, which arm it fell to still has the law that the detector's
 * increments are made for (rows dealt at random, docs/statistics.md "Candidate against stable: rates"), so this choice keeps the mean too.
 *
 * So each run stays an e-process while no arm is worse in any source. What is won: a source that lets the stable arm fail, or
 * fills the candidate with good rows, hides harm for the few panes until it shows.
 *
 * @param parts counts of each source in this pane, in the fixed order; they are part of `pane`
 */
export function moveWithoutOne(
  detector: Detector,
  setup: DetectorSetup,
  before: WithoutOne,
  pane: DetectorPane,
  parts: readonly SourcePane[],
): WithoutOne {
  const { signal } = setup
  const counts = parts.map((part) => sumsOf(signal, part))
  const sums = before.sums.map((old, source) => plus(old, counts[source] ?? none))
  const left = new Set([before.suspect, outlierOf(signal, parts, smallSources({ sums }))].filter((one) => one !== null))
  const trimmed = [...left].reduce((rest, source) => less(rest, parts[source]), pane)
  const step = ({ state }: Run, of: DetectorPane): Run => {
    const next = detector.update(setup, state, of)
    return { state: next, reading: detector.read(setup, next) }
  }
  const after = {
    sums,
    guarded: step(before.guarded, trimmed),
    rest: before.rest.map((run, source) => step(run, left.has(source) ? trimmed : less(trimmed, parts[source]))),
  }
  return { ...after, suspect: suspectOf(after) }
}

/** Places of the sources that are small: those that one owner might hold and that must not decide. */
export function smallSources({ sums }: Pick<WithoutOne, 'sums'>): readonly number[] {
  return sums.flatMap((_, source) => {
    const share = shareOf(sums, source)
    return share > 0 && share <= mostOfOneSource ? [source] : []
  })
}

/** Part of the rows of both arms, 0 … 1. */
export function shareOf(sums: readonly SourceSums[], source: number): number {
  const total = sums.reduce((sum, { n, m }) => sum + n + m, 0)
  const own = sums[source]
  return own === undefined || total === 0 ? 0 : (own.n + own.m) / total
}

/** What stands whichever one of the small sources is left out. */
export interface Robust {
  readonly logE: { readonly harm: number; readonly safe: number }
  /** Reading without the suspects, for effect and onset where the whole hides them. */
  readonly guarded: DetectorReading
  /** ln E of harm without each small source (and without the suspects), least first. */
  readonly without: readonly { readonly source: number; readonly share: number; readonly harm: number }[]
}

/**
 * The least evidence over {nobody, each small source} left out.
 *
 * Valid: it is never above the guarded run, an e-process; and where one small source sends what it likes and all others are
 * well, it is never above the run without that source, an e-process too. So P(ever ≥ 1/α) ≤ α in both cases, without a
 * price for the number of sources. Safety is the least over the same runs and the whole.
 *
 * Costs: the rows of one small source beside the suspect's, so at most about 1/(1 − both shares) in delay.
 *
 * @returns null while there is no small source: then nothing is left out
 */
export function robustOf(whole: DetectorReading, state: WithoutOne): Robust | null {
  const without = smallSources(state)
    .map((source) => {
      const { logE } = (state.rest[source] as Run).reading
      return { source, share: shareOf(state.sums, source), harm: logE.harm, safe: logE.safe }
    })
    .sort((a, b) => a.harm - b.harm || a.source - b.source)
  if (without.length === 0) return null
  const guarded = state.guarded.reading
  const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b))
  return {
    logE: {
      harm: least([guarded.logE.harm, ...without.map(({ harm }) => harm)]),
      safe: least([whole.logE.safe, guarded.logE.safe, ...without.map(({ safe }) => safe)]),
    },
    guarded,
    without: without.map(({ source, share, harm }) => ({ source, share, harm })),
  }
}

/** Events of a source in the candidate beyond what the other sources' stable rows leave to expect. Rates only. */
export function excessOf(sums: readonly SourceSums[], source: number): number {
  const others = sums.filter((_, place) => place !== source)
  const m = others.reduce((sum, each) => sum + each.m, 0)
  const events = others.reduce((sum, each) => sum + each.referenceEvents, 0)
  const own = sums[source]
  return own === undefined || m === 0 ? 0 : own.events - (own.n * events) / m
}

function suspectOf(state: Omit<WithoutOne, 'suspect'>): number | null {
  let suspect: number | null = null
  let most = state.guarded.reading.logE.harm
  for (const source of smallSources(state)) {
    const { harm } = (state.rest[source] as Run).reading.logE
    if (harm <= most) continue
    suspect = source
    most = harm
  }
  return suspect
}

/** Standard deviations above what the others leave to expect from which a source is the outlier of its pane. */
const outlierDeviations = 4

/** The small source whose rows of this pane, both arms together, are furthest from the others'; null where none is far. */
function outlierOf(signal: SignalView, parts: readonly SourcePane[], small: readonly number[]): number | null {
  if (small.length === 0) return null
  const pooled = parts.map(({ now, reference }) => bothArms(signal, now, reference))
  const all = pooled.reduce((sum, bins) => sum.map((count, bin) => count + (bins[bin] as number)))
  let outlier: number | null = null
  let most = outlierDeviations
  for (const source of small) {
    const own = pooled[source] as readonly number[]
    const distance = deviations(
      own,
      all.map((count, bin) => count - (own[bin] as number)),
      signal.kind === 'rate',
    )
    if (distance <= most) continue
    outlier = source
    most = distance
  }
  return outlier
}

/** Rows by bin; for rates the events, then the other trials. */
function bothArms(signal: SignalView, now: Float64Array | null, reference: Float64Array | null): readonly number[] {
  const bins = (counts: Float64Array): readonly number[] => {
    switch (signal.kind) {
      case 'rate': {
        const { events, trials } = signal.read(counts)
        return [events, trials - events]
      }
      case 'histogram':
      case 'mean':
        return [...signal.read(counts)]
      case 'volume':
        return [signal.read(counts)]
    }
  }
  const [a, b] = [now, reference].map((counts) => (counts === null ? null : bins(counts)))
  if (a == null || b == null) return a ?? b ?? []
  return a.map((count, bin) => count + (b[bin] as number))
}

/**
 * How far a source's bins are from the others', in standard deviations: for rates of the events above what is expected, for histograms of
 * Pearson's X². Half a row more in each bin of the others, so that an empty one has a rate too; 0 where there is nothing to compare.
 */
function deviations(own: readonly number[], others: readonly number[], isRate: boolean): number {
  const rows = own.reduce((a, b) => a + b, 0)
  const total = others.reduce((a, b) => a + b + 1 / 2, 0)
  if (rows === 0 || total <= others.length / 2) return 0
  const expected = others.map((count) => (rows * (count + 1 / 2)) / total)
  const [events = 0] = own
  const [mean = 1] = expected
  if (isRate) return (events - mean) / Math.sqrt(mean)
  const squares = own.reduce((sum, count, bin) => {
    const mean = expected[bin] as number
    return sum + ((count - mean) * (count - mean)) / mean
  }, 0)
  const degrees = own.length - 1
  return degrees < 1 ? 0 : (squares - degrees) / Math.sqrt(2 * degrees)
}

function less(pane: DetectorPane, part: SourcePane | undefined): DetectorPane {
  if (part === undefined) return pane
  const { now, reference } = part
  return { ...pane, now: minus(pane.now, now), reference: pane.reference && minus(pane.reference, reference) }
}

function minus(whole: Float64Array, part: Float64Array | null): Float64Array {
  return part === null ? whole : whole.map((count, index) => count - (part[index] as number))
}

const none: SourceSums = { n: 0, m: 0, events: 0, referenceEvents: 0 }

function plus(a: SourceSums, b: SourceSums): SourceSums {
  return {
    n: a.n + b.n,
    m: a.m + b.m,
    events: a.events + b.events,
    referenceEvents: a.referenceEvents + b.referenceEvents,
  }
}

function sumsOf(signal: SignalView, part: SourcePane): SourceSums {
  const now = countOf(signal, part.now)
  const reference = countOf(signal, part.reference)
  return { n: now.rows, m: reference.rows, events: now.events, referenceEvents: reference.events }
}

function countOf(signal: SignalView, counts: Float64Array | null): { readonly rows: number; readonly events: number } {
  if (counts === null) return { rows: 0, events: 0 }
  switch (signal.kind) {
    case 'rate': {
      const { events, trials } = signal.read(counts)
      return { rows: trials, events }
    }
    case 'histogram':
    case 'mean':
      return { rows: signal.read(counts).reduce((a, b) => a + b, 0), events: 0 }
    case 'volume':
      return { rows: signal.read(counts), events: 0 }
  }
}
