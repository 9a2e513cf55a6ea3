import { type Columns, tags } from '@interlock/columns'
import type { AnyOut, DeploymentId, Input, LogRecord, LogTime, SchemaRegistry, VersionId } from '@interlock/contracts'
import type { Place } from './placing.ts'
import { createProfiler } from './processor.ts'
import type { ProfilerState } from './state.ts'

/** A row that was counted, as it stands in its record. */
export interface ListedRow {
  readonly deployment: DeploymentId
  /** As producers send them; null where a row has none. */
  readonly id: string | number | null
  readonly unit: string | number | null
  readonly eventTimeMs: number
  readonly pane: number
  readonly generation: number
  readonly version: VersionId
  readonly variant: Place['variant']
  readonly status: string
  readonly prediction: string | number | null
  readonly score: number | null
  readonly producer: string | number | null
  readonly segments: Readonly<Record<string, string | number | null>>
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Row within a message of several. */
  readonly row: number
}

/** What a step of the profiler counted, row by row. */
export interface Listing {
  readonly rows: readonly ListedRow[]
  readonly state: ProfilerState
  readonly outs: readonly AnyOut[]
}

/** Which rows are wanted; asked for each row that is counted. */
export type IsWanted = (place: Place, eventTimeMs: number) => boolean

/**
 * Makes a step of the profiler again and lists the rows that it counts: the same decoder, the same rules, and the same outs,
 * which whoever asks can compare with those in the log.
 */
export function listRows(
  registry: SchemaRegistry,
  isWanted: IsWanted,
): (state: ProfilerState, inputs: readonly Input[], time: LogTime, caughtUp: boolean) => Listing {
  let rows: ListedRow[] = []
  const profiler = createProfiler({
    registry,
    kept: ['id', 'unit'],
    witness: (columns, row, record, place) => {
      if (isWanted(place, columns.eventTimeMs.numbers[row]!)) rows.push(listed(columns, row, record, place))
    },
  })
  return (before, inputs, time, caughtUp) => {
    rows = []
    const [state, outs] = profiler.step(before, inputs, time, caughtUp)
    return { rows, state, outs }
  }
}

function listed(columns: Columns, row: number, record: LogRecord, place: Place): ListedRow {
  const value = (column: Columns['status']): string | number | null => columns.valueOf(column, row)
  const [id, unit] = columns.kept
  const wanted = new Set(place.watch.spec.segments.map(({ name }) => `segments.${name}`))
  const segments = columns.segments.filter(({ name }) => wanted.has(name))
  return {
    deployment: place.watch.deployment,
    id: value(id!),
    unit: value(unit!),
    eventTimeMs: columns.eventTimeMs.numbers[row]!,
    pane: place.pane,
    generation: place.generation,
    version: place.version,
    variant: place.variant,
    status: String(value(columns.status)),
    prediction: value(columns.prediction),
    score: columns.score.tags[row] === tags.number ? columns.score.numbers[row]! : null,
    producer: value(columns.producer),
    segments: Object.fromEntries(segments.map((column) => [column.name.slice('segments.'.length), value(column)])),
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    row: columns.place[row]!,
  }
}
