export { fewer, logAmountIncrement, more } from './amount.ts'
export type { Ends } from './betting.ts'
export { bettingInterval, endsOf, logWealth, stakes } from './betting.ts'
export type { Combined, WeightedEvidence } from './combine.ts'
export { averageEvidence, wholeAndSlices } from './combine.ts'
export type { RatioGrid } from './conditional-beta-binomial.ts'
export {
  logBetaBinomial,
  logRatioIncrement,
  mixOverRatios,
  ratiosAbove,
  ratiosBelow,
} from './conditional-beta-binomial.ts'
export { asymptoticRadius, oneSidedLogWealth, oneSidedRadius, stitchedRadius } from './confidence-sequences.ts'
export { detectorFor } from './detectors/detectors.ts'
export { whyNot } from './detectors/setup.ts'
export { ballTest, baselineShares, baselineSlack, logBestWithin, predictiveAround } from './dirichlet-baseline.ts'
export type { Tilt } from './dirichlet-two-sample.ts'
export { logDealIncrement, predictedOdds, tiltedOdds } from './dirichlet-two-sample.ts'
export type { Distances, OrderedDistances } from './distances.ts'
export { distancesOf, orderedDistancesOf } from './distances.ts'
export type { Sample } from './divergence.ts'
export { divergence, divergenceCeiling, driversOf, logDivergenceAbove, logTwoLaws } from './divergence.ts'
export { eBenjaminiHochberg, logEOfP } from './e-bh.ts'
export { exp, expm1, ln, log1p, log1pExp, logAddExp, logSumExp, pow } from './elementary.ts'
export type { VolumeHistory } from './gap.ts'
export { dispersion, emptyHistory, expectedRows, learn, stepSilence } from './gap.ts'
export { mixtureLogWealth, mixtureRadius, mixtureRho } from './normal-mixture.ts'
export { logOwnRateBelow, logOwnRateIncrement, ratesAbove, ratesBelow } from './own-rate.ts'
export type { SignalShape } from './plain-signal.ts'
export { plainCounts, plainSignal } from './plain-signal.ts'
export { poissonUpper } from './poisson-bound.ts'
export { rateRatio, ratioCeiling, ratioInterval } from './rate-interval.ts'
export { logShareMismatch } from './sample-ratio.ts'
export { bestDelay, stepShiryaevRoberts } from './shiryaev-roberts.ts'
export type { LatencyLimits } from './signal.ts'
export { errorStatuses, nearestOf, resolveSignal, signalsOf, UnknownSignalError } from './signal.ts'
export {
  betaQuantile,
  clopperPearson,
  lgamma,
  logBeta,
  logBetaAbove,
  logBetaBelow,
  logNormalBelow,
  normalBelow,
  normalQuantile,
} from './special.ts'
export { logAside, logStartWeight, stepStart } from './start-mixture.ts'
export type { OnsetOf, Start } from './starts.ts'
export { keepStart, onsetOf } from './starts.ts'
export type { TimeToBreach } from './time-to-breach.ts'
export { timeToBreach } from './time-to-breach.ts'
export { usualRows, weeklyVolume } from './weekly-volume.ts'
export type { Robust, SourcePane, SourceSums, WithoutOne } from './without-one.ts'
export {
  excessOf,
  mostOfOneSource,
  moveWithoutOne,
  robustOf,
  shareOf,
  smallSources,
  startWithoutOne,
} from './without-one.ts'
