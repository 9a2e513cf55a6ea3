export type { Bugs } from './bugs.ts'
export type { Clock } from './clock.ts'
export { DeadlineExceeded, systemClock, within } from './clock.ts'
export { logDeadlineMs, withDeadlines } from './deadlines.ts'
export type { Appended, AppendRecord, Bounds, EventLog, RawBatch, TopicOptions } from './event-log.ts'
export {
  LogUnavailable,
  maxRecordBytes,
  RangeGone,
  RecordTooLarge,
  recordBytes,
  TopicMismatch,
  UnknownTopic,
} from './event-log.ts'
export type { HostOptions } from './host.ts'
export { runHost } from './host.ts'
export { keepRunning } from './keep-running.ts'
export type { Membership, Stop } from './membership.ts'
export { staticMembership } from './membership.ts'
export type { Source } from './public-record.ts'
export { orderHeader, sourceHeader, sourceOf, sourceText } from './public-record.ts'
export type { PublisherOptions } from './publisher.ts'
export { runPublisher } from './publisher.ts'
export type { Random } from './random.ts'
export { seededRandom } from './random.ts'
export type { Difference, Point } from './re-execute.ts'
export { reExecute } from './re-execute.ts'
export type { ReplayOptions, ReplayReport } from './replay.ts'
export { verifyReplay } from './replay.ts'
export { runShard } from './shard.ts'
export type { ShardLimits } from './shard-limits.ts'
export { shardLimits } from './shard-limits.ts'
export type { ShardOptions } from './shard-options.ts'
export { isTransient, Lost, ShardStopped } from './shard-options.ts'
export type { ShardLog, ValidEntry } from './shard-reader.ts'
export { beginningOfLog, entryAt, firstKnownValid, followShard, validEntries } from './shard-reader.ts'
export type { AppendFate, SimulatedFaults } from './simulated-log.ts'
export { SimulatedLog } from './simulated-log.ts'
export { SimulatedProcess, Simulation } from './simulation.ts'
export type { SnapshotHead } from './snapshot.ts'
export { Snapshots } from './snapshot.ts'
export type { SqliteLogOptions } from './sqlite-log.ts'
export { openSqliteLog } from './sqlite-log.ts'
