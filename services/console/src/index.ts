export type {
  ConsolePorts,
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
