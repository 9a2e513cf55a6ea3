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
  LogPlace,
  OperatorRequest,
  Recorded,
  RollbackPlan,
  Series,
  SeriesPoint,
  Why,
} from './api.ts'
export { createConsole } from './console.ts'
