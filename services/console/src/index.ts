export type {
  ComparedVersion,
  Comparison,
  Console,
  ConsolePorts,
  Decisions,
  DeploymentPage,
  DeploymentRow,
  Envelope,
  EvidencePoint,
  GuardedMinutes,
  LogPlace,
  OperatorRequest,
  Recorded,
  RollbackPlan,
  Series,
  SeriesPoint,
  Shadow,
  Why,
} from './api.ts'
export { createConsole } from './console.ts'
export type {
  DeadLetterPorts,
  LetterGroup,
  LetterList,
  LetterSelection,
  LetterShown,
  Replayed,
  ReplayPlan,
} from './dead-letters.ts'
export type { Gap, GapCause } from './guarded.ts'
export { gapWords, watchedPart } from './guarded.ts'
export type {
  ListReceipt,
  OffsetSpan,
  OnsetSource,
  ReceiptEnd,
  ReceiptPart,
  ReceiptPlan,
  ReceiptRow,
} from './receipt.ts'
export { offsetSpan, receiptLine } from './receipt.ts'
