import { exp, expm1, log1pExp } from './elementary.ts'

/**
 * The endless watch as an e-detector: the sum of the e-processes that start at each pane,
 *
 *   R_t = (1 + R_{t−1})·L_t,  R_0 = 0
 *
 * While nothing changed the conditional mean of L_t is at most 1 and R_t − t a supermartingale, so R first reaches A after
 * A panes or more on average. A mixture Σ w_k R^(k) with fixed weights promises the same, whatever the dependence
 * between its parts.
 *
 * @param logR ln R_{t−1}; null stands for R = 0
 * @param logIncrement ln L_t
 * @source Shin, Ramdas & Rinaldo, arXiv 2203.03532
 */
export function stepShiryaevRoberts(logR: number | null, logIncrement: number): number {
  return (logR === null ? 0 : log1pExp(logR)) + logIncrement
}

const halvings = 60

/**
 * Mean delay in panes of the best detector that there can be (CUSUM for the true change, which is exactly minimax) at a mean
 * run length of `run` panes and `information` nats a pane, in Brownian approximation:
 *
 *   e^h − h − 1 = run·I,   D = (h − 1 + e^{−h})/I
 *
 * Within 8 % of the exact discrete optimum while I < 4.
 *
 * @source Moustakides, Annals of Statistics 14 (1986)
 */
export function bestDelay(run: number, information: number): number {
  const target = run * information
  let low = 0
  let high = 700
  for (let i = 0; i < halvings; i++) {
    const middle = (low + high) / 2
    if (expm1(middle) - middle < target) low = middle
    else high = middle
  }
  return (high - 1 + exp(-high)) / information
}
