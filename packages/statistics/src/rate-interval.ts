import type { Interval } from '@interlock/contracts'
import { ln, log1p } from './elementary.ts'
import { logBeta } from './special.ts'

/** Stands for "no upper bound" where a record has no room for infinity: no ratio above it is ever reported. */
export const ratioCeiling = 1e6

const halvings = 40

/**
 * Always-valid interval of the rate ratio from S and F failing events and the candidate's share ρ of the trials behind
 * them: all r that a Beta(½, ½) mixture over p cannot refute at 1/α,
 *
 *   ln B(½+S, ½+F) − ln B(½, ½) − S ln p(r) − F ln(1−p(r)) < ln(1/α)
 *
 * Exact for a constant share. Where the share varied, ρ is the one that makes the point estimate the Mantel–Haenszel
 * ratio; the sum of events is then narrower than the binomial assumed here.
 *
 * @source Howard, Ramdas, McAuliffe & Sekhon, Annals of Statistics 49 (2021), conjugate mixtures
 */
export function ratioInterval(events: {
  readonly now: number
  readonly reference: number
  readonly share: number
  readonly alpha: number
}): { readonly low: number; readonly high: number } {
  const { now: s, reference: f, share, alpha } = events
  if (s + f === 0 || !(share > 0 && share < 1)) return { low: 0, high: ratioCeiling }
  const evidence = logBeta(0.5 + s, 0.5 + f) - logBeta(0.5, 0.5) - ln(1 / alpha)
  const refuted = (p: number): boolean => evidence - (s === 0 ? 0 : s * ln(p)) - (f === 0 ? 0 : f * log1p(-p)) >= 0
  const peak = s / (s + f)
  const toRatio = (p: number): number => (p / (1 - p)) * ((1 - share) / share)
  const border = (outside: number, inside: number): number => {
    let out = outside
    let into = inside
    for (let i = 0; i < halvings; i++) {
      const middle = (out + into) / 2
      if (refuted(middle)) out = middle
      else into = middle
    }
    return out
  }
  const low = s === 0 ? 0 : toRatio(border(0, peak))
  const high = f === 0 ? ratioCeiling : toRatio(border(1, peak))
  return { low: Math.min(low, ratioCeiling), high: Math.min(high, ratioCeiling) }
}

/**
 * Rate ratio with its always-valid interval from sums over panes: Mantel–Haenszel weights A = Σ S·n_s/N and
 * B = Σ F·n_c/N keep a changing share, or hour, from showing as a difference of the arms. Half an event is added on both
 * sides, so an arm without events has a finite ratio.
 */
export function rateRatio(sums: {
  readonly events: number
  readonly referenceEvents: number
  /** Σ S·n_s/N */
  readonly weighted: number
  /** Σ F·n_c/N */
  readonly referenceWeighted: number
  /** n_c/N over all panes summed, used while one arm has no events. */
  readonly share: number
  readonly alpha: number
}): Interval {
  const { events, referenceEvents, weighted, referenceWeighted, share, alpha } = sums
  if (events + referenceEvents <= 0 || !(share > 0 && share < 1)) return { estimate: 1, low: 0, high: ratioCeiling }
  const plain = weighted > 0 && referenceWeighted > 0 ? weighted / referenceWeighted : null
  const odds = plain === null ? share / (1 - share) : events / referenceEvents / plain
  const { low, high } = ratioInterval({ now: events, reference: referenceEvents, share: odds / (1 + odds), alpha })
  const estimate = plain ?? (weighted + 0.5 * (1 - share)) / (referenceWeighted + 0.5 * share)
  return { estimate: Math.min(Math.max(estimate, low), high), low, high }
}
