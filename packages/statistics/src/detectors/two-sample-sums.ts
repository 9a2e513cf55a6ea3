import type { Sample } from '../divergence.ts'

/** Both arms over some panes, the stable one weighted to the candidate's rows pane by pane. */
export type ArmSums = {
  /** Rows of the candidate, and of the stable arm as they were counted. */
  readonly n: number
  readonly m: number
  /** Σ n²/m over panes: the weighted stable rows are worth n²/this independent ones. */
  readonly spread: number
  readonly now: readonly number[]
  /** Σ (n/m)·rows of the stable arm by bin: n in all. */
  readonly reference: readonly number[]
}

export function emptySums(bins: number): ArmSums {
  const zeros = Array.from({ length: bins }, () => 0)
  return { n: 0, m: 0, spread: 0, now: zeros, reference: zeros }
}

/** The sums after a pane in which both arms had rows. */
export function addPane(sums: ArmSums, now: Float64Array, reference: Float64Array): ArmSums {
  const n = now.reduce((a, b) => a + b, 0)
  const m = reference.reduce((a, b) => a + b, 0)
  return {
    n: sums.n + n,
    m: sums.m + m,
    spread: sums.spread + exact((n * n) / m),
    now: sums.now.map((sum, bin) => sum + (now[bin] as number)),
    reference: sums.reference.map((sum, bin) => sum + exact((n * (reference[bin] as number)) / m)),
  }
}

/** Weights are rounded to millionths (2^−20), so that sums of them subtract without a rest: an empty bin stays empty. */
function exact(value: number): number {
  return Math.round(value * steps) / steps
}
const steps = 2 ** 20

/** What came since some earlier sums. */
export function partSince(sums: ArmSums, earlier: ArmSums): ArmSums {
  return {
    n: sums.n - earlier.n,
    m: sums.m - earlier.m,
    spread: sums.spread - earlier.spread,
    now: sums.now.map((sum, bin) => sum - (earlier.now[bin] as number)),
    reference: sums.reference.map((sum, bin) => sum - (earlier.reference[bin] as number)),
  }
}

/** Sums as the numbers that a start keeps, and back. */
export function asList({ n, m, spread, now, reference }: ArmSums): readonly number[] {
  return [n, m, spread, ...now, ...reference]
}
export function fromList(list: readonly number[]): ArmSums {
  const [n = 0, m = 0, spread = 0, ...bins] = list
  const half = bins.length / 2
  return { n, m, spread, now: bins.slice(0, half), reference: bins.slice(half) }
}

/** Both arms as samples of independent rows. */
export function samplesOf({ n, spread, now, reference }: ArmSums): {
  readonly now: Sample
  readonly reference: Sample
} {
  return { now: { bins: now, rows: n }, reference: { bins: reference, rows: spread > 0 ? (n * n) / spread : 0 } }
}
