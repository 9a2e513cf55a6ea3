import { ln, logAddExp } from './elementary.ts'

/**
 * An e-process that also sees harm which begins late. Plain products of likelihood ratios sink while all is well
 * (a factor 2 costs 59 nats per 1,000 healthy failures) and would have to climb back; here a small part of the wealth is
 * kept aside and put in pane by pane:
 *
 *   M_t = (M_{t−1} + π_t)·L_t,  E_t = M_t + (1 − Σ_{s≤t} π_s)
 *
 * This is the mixture, with weights π, of the e-processes that start at each pane, so E_t is an e-process whatever the
 * dependence between them: P(ever E_t ≥ 1/α) ≤ α.
 *
 * π_0 = .6, then .4·[1/(1+ln(1+(j−1)/10)) − 1/(1+ln(1+j/10))]: heavy-tailed and flat over the first panes, so that a start
 * at pane 20 costs 6 nats, at pane 1,000 eleven.
 *
 * @source Shin, Ramdas & Rinaldo, arXiv 2203.03532 (Shiryaev–Roberts e-detector), with summable weights instead of ones
 */
const firstStart = 0.6

/** Panes over which the weights are nearly even. */
const evenPanes = 10

/** Wealth that is still aside after the panes 0 … j were started. */
function aside(j: number): number {
  return (1 - firstStart) / (1 + ln(1 + j / evenPanes))
}

/** ln π_j: the wealth that joins before pane j (0 is the first). */
export function logStartWeight(j: number): number {
  return ln(j === 0 ? firstStart : aside(j - 1) - aside(j))
}

/** ln of the wealth that has not been put in when `panes` panes were stepped. */
export function logAside(panes: number): number {
  return panes === 0 ? 0 : ln(aside(panes - 1))
}

/** ln M_t from ln M_{t−1}, the weight of this start, and ln L_t. `null` stands for M = 0. */
export function stepStart(logM: number | null, logWeight: number, logIncrement: number): number {
  return (logM === null ? logWeight : logAddExp(logM, logWeight)) + logIncrement
}
