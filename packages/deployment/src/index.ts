export type { Act, Answer } from './answer.ts'
export { acts, answerTo } from './answer.ts'
export type { Approval, ApprovalCheck } from './approvals.ts'
export { approvalLifeMs, approvalsKept, approved, rolesOf, withApproval } from './approvals.ts'
export type { AttentionQuestion } from './attention.ts'
export { attentionOf } from './attention.ts'
export type { BlindSpot } from './blind-spot.ts'
export { blindSpot } from './blind-spot.ts'
export { lastHour, mayRollBackByItself } from './brakes.ts'
export { causesOf } from './causes.ts'
export type { CommandEvent, CommandRecord, Escalation } from './command-lifecycle.ts'
export {
  advance,
  applyCapMs,
  applyWithinMs,
  commandLifecycle,
  concerns,
  due,
  escalate,
  escalateAgainAfterMs,
  observeWithinMs,
  resendAfterMs,
  resendStuckAfterMs,
} from './command-lifecycle.ts'
export type { GenerationDiff } from './decision-diff.ts'
export { diffDecisions, stopDelay, unknownOrderRule } from './decision-diff.ts'
export type { ReadinessRecord } from './engines.ts'
export {
  agentSilentAfterMs,
  approvalsEngine,
  evidenceIsFresh,
  evidenceStaleAfterMs,
  noDataLimitMs,
  observabilityEngine,
  readinessLifeMs,
  technicalEngine,
} from './engines.ts'
export type { TrafficPlan } from './expected-course.ts'
export type { FleetView, Want } from './fleet.ts'
export { brakeRule, defaultBrakeRule, fewestForBrake, fleetView } from './fleet.ts'
export type { Account, Claim, FalseActions } from './fleet-budget.ts'
export { accountOf, shrinkToFit, spentBy } from './fleet-budget.ts'
export { fleetIsFresh, fleetStaleAfterMs, grantFor, renewalDue } from './grants.ts'
export type { Hold } from './holds.ts'
export { isHeldBy, releasableByPerson, withHold, withoutHold } from './holds.ts'
export type { Breach, Judged, Watched } from './judgement.ts'
export { calmPanes, calmPart, isBeyondTolerance, judge, safeLimitOf, watchPart } from './judgement.ts'
export { budgetLog, limitOf } from './limit.ts'
export { endsOfExceptions, policyAt } from './policy-at.ts'
export type { Promised } from './promise.ts'
export { promise } from './promise.ts'
export type { Blocker, PromotionQuestion, StageClock } from './promotion.ts'
export { blockers, elapsedMs, isInconclusive } from './promotion.ts'
export type { Release } from './release.ts'
export type { Remedy, Scope } from './remedy.ts'
export { producerOf, remedies, scopeOf, subjectOf } from './remedy.ts'
export type { FailedCheck, RolloutQuestion } from './rollout-checks.ts'
export { failedRegistrationCheck, failedRolloutCheck, unknownNames } from './rollout-checks.ts'
export type { CommandWord, Severity } from './severity.ts'
export { actionSeverity, nextGeneration, raised, restored, revised, severityOf, standsInTheWay } from './severity.ts'
export type { Given, Parting, ShadowAnswers, Side } from './shadow-answers.ts'
export { compareAnswers, inForceAlone, noAnswers } from './shadow-answers.ts'
export type { HashedPolicy } from './shadow-checks.ts'
export { failedShadowPolicyCheck, shadowBounds } from './shadow-checks.ts'
export type { AnswersBetween, Mark, MarkedGeneration, StopTally } from './stops-of-policy.ts'
export { markStops, tallyStops } from './stops-of-policy.ts'
export type { TargetQuestion } from './targets.ts'
export { rollbackTarget } from './targets.ts'
export type { TransitionTable } from './transition-table.ts'
export { transition } from './transition-table.ts'
export type { GenerationVerdict, VerdictReason } from './verdict-of-record.ts'
export { verdictsOf } from './verdict-of-record.ts'
export type { Expectation, ServedPane, Traffic, Verification } from './verification.ts'
export {
  provingMs,
  provingRows,
  shareTolerance,
  trafficSince,
  verify,
  weightsAgree,
  weightsOnlyAfterMs,
} from './verification.ts'
