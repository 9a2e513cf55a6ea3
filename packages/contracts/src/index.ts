export { Malformed } from './avro/bytes.ts'
export type { AvroNode } from './avro/schema.ts'
export { parseSchema } from './avro/schema.ts'
export { WrongShape } from './avro/write.ts'
export type { Brand } from './brand.ts'
export { unreachable } from './brand.ts'
export type { Json } from './canonical.ts'
export { canonicalJson, contentHash } from './canonical.ts'
export type { Command, Desired, Order } from './command.ts'
export { compareOrders, severities } from './command.ts'
export type {
  BaselineCounts,
  CategoricalFeature,
  CountSpec,
  FeatureSpec,
  HistogramPlace,
  Layout,
  NumericFeature,
  SliceCounts,
  SpecialBin,
} from './counts.ts'
export {
  addPacked,
  categoricalSpecials,
  histogramWidth,
  layoutOf,
  momentSplit,
  numericSpecials,
  packCounts,
  pooledWord,
  sampleIds,
  specialAt,
} from './counts.ts'
export type { DeadLetterOut, DeadReason, ReplayedOut } from './dead-letter.ts'
export { deadReasons } from './dead-letter.ts'
export type { Detector, DetectorPane, DetectorReading, DetectorSetup, SignalView } from './detector.ts'
export type { DisagreementOut } from './disagreement.ts'
export type {
  BaselineDocument,
  DeploymentDocument,
  Document,
  FieldMapping,
  KeyEntry,
  KeyRole,
  KeysetDocument,
  ManifestDocument,
  PolicyDocument,
  WeeklyVolume,
} from './document.ts'
export { documentProblem } from './document-problem.ts'
export type { DsseEnvelope, Refusal, Refused, Signer, VerifiedEnvelope } from './dsse.ts'
export { keyIdOf, maxEnvelopeBytes, signEnvelope, signerOf, verifyEnvelope } from './dsse.ts'
export type { Feature, Outcome, Prediction, PredictionStatus, Variant } from './event.ts'
export { contentTypes, predictionStatuses } from './event.ts'
export type { EventKind, Events } from './event-codec.ts'
export { BadEvent, decodeEvents, encodeEventAvro, encodeEventJson, eventOf } from './event-codec.ts'
export type { BrakeOut, CheckpointOut, LeafOut, PulseOut } from './fleet-outs.ts'
export { hashFields, sha256, shardOf } from './hash.ts'
export type { Heartbeat, ProbeProgress, ProcessHealth, ShardProgress } from './heartbeat.ts'
export type { AgentId, DeploymentId, Hash, KeyId, PersonId, VersionId } from './ids.ts'
export { deploymentId, deploymentIdPattern, isProbe, probeDeployment } from './ids.ts'
export type { Entry, LogRecord, Out, Range, Unreadable } from './log.ts'
export { decodeEntry, decodeOut, encodeEntry, encodeOut } from './out-codec.ts'
export type {
  AlertOut,
  AnyOut,
  Attention,
  CommandOut,
  CommandState,
  CountsOut,
  DecisionKind,
  DecisionOut,
  DeploymentView,
  Driver,
  EchoOut,
  EngineState,
  Evidence,
  EvidenceOut,
  GuardrailEvidence,
  Influence,
  Interval,
  LineageOut,
  PaneSummary,
  ProgressOut,
  ProvisionalOut,
  RankedCause,
  ReadyToCountOut,
  ServedOut,
  StateOut,
  Verdict,
  WatchOut,
} from './outs.ts'
export { maxJsonBytes, parseStrict } from './parse-strict.ts'
export type {
  Action,
  DetectorId,
  Guardrail,
  Policy,
  PolicyException,
  PolicyLayer,
  PolicyRef,
  PolicyWords,
  Reference,
  Stage,
} from './policy.ts'
export { isAmount } from './policy.ts'
export type { Input, InputSource, Processor, Step } from './processor.ts'
export type { Fact, FactRecord, Observed, Readiness, Request, RequestRecord } from './request.ts'
export type { RiskClass, RiskClassRules } from './risk-class.ts'
export { riskClasses, riskClassOrder } from './risk-class.ts'
export type { SchemaRecord } from './schema-record.ts'
export { decodeSchemaRecord, encodeSchemaRecord } from './schema-record.ts'
export type { RegisteredSchema, SchemaRegistry } from './schema-registry.ts'
export { ownRegistry, registryOf, UnknownSchema } from './schema-registry.ts'
export type { Verified } from './signed.ts'
export {
  maxHeartbeatBytes,
  maxRequestBytes,
  payloadTypes,
  signCommand,
  signFact,
  signHeartbeat,
  signRequest,
  verifyCommand,
  verifyFact,
  verifyHeartbeat,
  verifyRequest,
} from './signed.ts'
export type { EventTime, LogTime } from './time.ts'
export { defaultTimes, paneStart } from './time.ts'
export type { ProcessorName } from './topics.ts'
export { isOwnTopic, publicTopics, shardLog, topics } from './topics.ts'
export { putVarint, VarintReader } from './varint.ts'
