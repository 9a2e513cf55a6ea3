import { type Columns, quoted, tags, unknownWord, variants } from '@interlock/columns'
import {
  type DeadReason,
  defaultTimes,
  type EventTime,
  type LogRecord,
  paneStart,
  type Variant,
  type VersionId,
} from '@interlock/contracts'
import type { Compiled } from './compiled.ts'
import type { Watched } from './watched.ts'

/** Where a row is counted: under the spec of `watch`, as a row of its own generation. */
export interface Place {
  readonly watch: Watched
  readonly generation: number
  readonly version: VersionId
  readonly variant: Variant
  readonly pane: EventTime
}

/** Why a row is not counted. */
export interface Dead {
  readonly reason: DeadReason
  readonly detail: string
}

/** March 1973: an event time below it was written in seconds, or is a clock that starts at 1970. */
const earliestEventTimeMs = 100_000_000_000
/** What the schema writes for a tenant that the producer did not name. */
const unnamedTenant = 'default'
/** Version of the answers of a deployment's declared rule, which stands in for its models and has no manifest. */
export const fallbackVersion = 'fallback' as VersionId

/** Which watch, version and pane a row of the columns belongs to, or why to none. */
export function placeOf(compiled: Compiled, columns: Columns, row: number, record: LogRecord): Place | Dead {
  const watches = compiled.deployments[columns.deployment.codes[row]!]
  if (watches === undefined) {
    return dead(
      'unregistered',
      `deployment ${named(columns.deployment, row)} is not registered, or its watch was refused`,
    )
  }
  const newest = watches[watches.length - 1]!
  if (newest.topics.predictions !== record.topic) {
    return dead(
      'unregistered',
      `${newest.deployment} is registered for topic ${newest.topics.predictions}, not for ${record.topic}`,
    )
  }
  if (wordOf(columns.environment, row) !== newest.environment) {
    return dead(
      'wrong-environment',
      `environment is ${named(columns.environment, row)}; ${newest.deployment} serves in ${newest.environment}`,
    )
  }
  const tenant = columns.tenant.tags[row] === tags.word ? wordOf(columns.tenant, row) : unnamedTenant
  if (tenant !== newest.tenant && tenant !== unnamedTenant) {
    return dead(
      'wrong-environment',
      `tenant is ${named(columns.tenant, row)}; ${newest.deployment} belongs to ${newest.tenant}`,
    )
  }
  const time = columns.eventTimeMs.numbers[row]!
  if (!(time >= earliestEventTimeMs)) {
    return dead('bad-time', `event time ${time} is no time of ours: milliseconds since 1970 are needed, not seconds`)
  }
  const latest = record.at + defaultTimes.maxFutureSkewMs
  if (time > latest) {
    return dead(
      'future',
      `event time lies ${Math.ceil(time - record.at)} ms after the record was appended; at most ${defaultTimes.maxFutureSkewMs} are taken`,
    )
  }
  const generation = columns.generation.numbers[row]!
  const ofGeneration = watches.filter((watch) => watch.generation === generation)
  if (ofGeneration.length === 0) {
    return dead(
      'wrong-generation',
      `generation ${generation} of ${newest.deployment} is not watched; ${newest.generation} is the newest`,
    )
  }
  const version = versionOf(ofGeneration[ofGeneration.length - 1]!, columns, row)
  if (version === null) {
    return dead(
      'unknown-version',
      `version ${named(columns.version, row)} is not one of ${newest.deployment} in generation ${generation}`,
    )
  }
  // The pane, not the generation, chooses the spec: a router names the old generation until its agent has acted, and
  // its rows must be comparable with those of the new one meanwhile.
  const watch = watches.findLast(({ from, paneMs }) => from <= paneStart(time, paneMs)) ?? watches[0]!
  const pane = paneStart(time, watch.paneMs)
  return { watch, generation, version, variant: variants[columns.variant.codes[row]!]!, pane }
}

function versionOf({ versions }: Watched, columns: Columns, row: number): VersionId | null {
  const name = wordOf(columns.version, row)
  const known = versions.find((version) => version === name)
  if (known !== undefined) return known
  return wordOf(columns.status, row) === 'fallback' ? fallbackVersion : null
}

type Words = Columns['version']

function wordOf(column: Words, row: number): string | undefined {
  const code = column.codes[row]!
  return code === unknownWord ? column.strangers?.get(row) : column.table.words[code]
}

function named(column: Words, row: number): string {
  return quoted(wordOf(column, row) ?? '')
}

function dead(reason: DeadReason, detail: string): Dead {
  return { reason, detail }
}
