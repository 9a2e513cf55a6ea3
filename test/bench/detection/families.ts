import { bestDelay } from '@interlock/statistics'

/**
 * What a stream counts in each pane, and how a change of size θ bends its law: size 0 is health. Panes have `rows` rows
 * that fall into cells with shares, or (`volume`) one cell with a Poisson number of rows.
 */
export interface Family {
  readonly id: string
  readonly title: string
  readonly kind: 'rate' | 'histogram' | 'volume'
  /** Rows of a pane; for a volume, those that are expected. */
  readonly rows: number
  /** Shares of the cells at size θ; for a volume, the factor on the expected rows. */
  readonly shares: (size: number) => readonly number[]
  /** The greatest size that is tried. */
  readonly most: number
  /** A number for each cell, whose mean over rows is the value that scalar peers are given. */
  readonly scores: readonly number[]
  /** The product's detectors for it, by id. */
  readonly detectors: readonly string[]
}

/** Of a rate, cell 1 holds the events. Size 1 is a doubled rate. */
function rate(id: string, title: string, rows: number, usual: number): Family {
  return {
    id,
    title,
    kind: 'rate',
    rows,
    shares: (size) => [1 - usual * (1 + size), usual * (1 + size)],
    most: 0.9 / usual - 1,
    scores: [0, 1],
    detectors: ['binomial-shiryaev-roberts'],
  }
}

/** Shares bent along the scores: p_b·e^{θ·score_b}, rescaled. */
function tilted(usual: readonly number[], scores: readonly number[], size: number): readonly number[] {
  const bent = usual.map((share, bin) => share * Math.exp(size * scores[bin]!))
  const total = bent.reduce((a, b) => a + b, 0)
  return bent.map((share) => share / total)
}

/** Mean normal scores of ten bins of equal mass, so that size 1 is nearly a shift by one deviation. @source scipy norm */
const normalScores = [-1.755, -1.0446, -0.6773, -0.3862, -0.126, 0.126, 0.3862, 0.6773, 1.0446, 1.755]
const tenths = normalScores.map(() => 0.1)

/** A loss in twenty equal bins of [0, 1], of a law like Beta(3, 7). */
const lossScores = Array.from({ length: 20 }, (_, bin) => (bin + 0.5) / 20)
const losses = tilted(
  lossScores.map((x) => x ** 2 * (1 - x) ** 6),
  lossScores,
  0,
)

export const errors = rate('errors', 'error rate, 1 % of 100 requests a pane', 100, 0.01)
export const missing = rate('missing', 'missing values, 0.5 % of 1,000 rows a pane', 1_000, 0.005)
export const latency = rate('latency', 'slower than p99, 1 % of 1,000 rows a pane', 1_000, 0.01)
export const feature: Family = {
  id: 'feature',
  title: 'shift of a feature, ten bins, 200 rows a pane',
  kind: 'histogram',
  rows: 200,
  shares: (size) => tilted(tenths, normalScores, size),
  most: 3,
  scores: normalScores,
  detectors: ['dirichlet-baseline'],
}
export const loss: Family = {
  id: 'loss',
  title: 'mean of a bounded loss, 100 rows a pane',
  kind: 'histogram',
  rows: 100,
  shares: (size) => tilted(losses, lossScores, size),
  most: 12,
  scores: lossScores,
  detectors: ['binned-betting', 'dirichlet-baseline'],
}
export const surge: Family = {
  id: 'surge',
  title: 'more rows, 100 a pane',
  kind: 'volume',
  rows: 100,
  shares: (size) => [1 + size],
  most: 9,
  scores: [1],
  detectors: ['poisson-shiryaev-roberts'],
}
export const families: readonly Family[] = [errors, missing, latency, feature, loss, surge]

/** Weights w and c with ln(L_changed/L_usual) = Σ w_b·counts_b + c, of one pane. */
export function likelihoodRatio(family: Family, size: number) {
  const usual = family.shares(0)
  const changed = family.shares(size)
  const weights = usual.map((share, cell) => (share > 0 ? Math.log(changed[cell]! / share) : 0))
  const constant = family.kind === 'volume' ? family.rows * (usual[0]! - changed[0]!) : 0
  return { weights, constant }
}

/** Nats a pane that the best test gains after a change of this size: Kullback–Leibler of the changed law from the usual. */
export function information(family: Family, size: number): number {
  const { weights, constant } = likelihoodRatio(family, size)
  return family.shares(size).reduce((sum, share, cell) => sum + family.rows * share * weights[cell]!, constant)
}

/** The size of change that the best detector finds after `delay` panes on average, at a mean run length of `run`. */
export function sizeFor(family: Family, delay: number, run: number): number {
  let [low, high] = [0, family.most]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (bestDelay(run, information(family, middle)) > delay) low = middle
    else high = middle
  }
  return high
}

/** Mean and deviation of a healthy pane's value, what scalar charts standardise with. */
export function usualValue(family: Family): { readonly mean: number; readonly deviation: number } {
  if (family.kind === 'volume') return { mean: family.rows, deviation: Math.sqrt(family.rows) }
  const shares = family.shares(0)
  const mean = shares.reduce((sum, share, cell) => sum + share * family.scores[cell]!, 0)
  const square = shares.reduce((sum, share, cell) => sum + share * (family.scores[cell]! - mean) ** 2, 0)
  return { mean, deviation: Math.sqrt(square / family.rows) }
}

/** A pane's value: rows of a volume, else the mean score. */
export function paneValue(family: Family, counts: Float64Array): number {
  if (family.kind === 'volume') return counts[0]!
  let [sum, rows] = [0, 0]
  for (let cell = 0; cell < counts.length; cell++) {
    sum += counts[cell]! * family.scores[cell]!
    rows += counts[cell]!
  }
  return rows === 0 ? 0 : sum / rows
}
