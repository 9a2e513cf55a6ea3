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
import { unnamedTenant, type Watched } from './watched.ts'

/**
 * Where a row is counted: under the spec of `watch`, as a row of its own generation. Rows of one place share one object,
 * so that it can be the key of what is gathered for it.
 */
export interface Place {
  readonly watch: Watched
  readonly generation: number
  readonly version: VersionId
  readonly variant: Variant
  readonly pane: EventTime
  readonly topic: string
  readonly partition: number
}

/** Why a row is not counted. */
export interface Dead {
  readonly reason: DeadReason
  readonly detail: string
}

/** March 1973: an event time below it was written in seconds, or is a clock that starts at 1970. */
const earliestEventTimeMs = 100_000_000_000
const noTenant = -2
/** Version of the answers of a deployment's declared rule, which stands in for its models and has no manifest. */
export const fallbackVersion = 'fallback' as VersionId

/** What made a row's place, to know it again in the next row. */
interface Recent {
  readonly place: Place
  readonly environment: number
  readonly tenant: number
  readonly generation: number
}

/** Finds the places of the rows of one batch. */
export class Placer {
  readonly #compiled: Compiled
  readonly #places = new Map<string, Place>()
  readonly #recent: (Recent | undefined)[] = []

  constructor(compiled: Compiled) {
    this.#compiled = compiled
  }

  /** The place of a row, or why it has none. Most rows are of the place of the row like them before: no lookup for those. */
  placeOf(columns: Columns, row: number, record: LogRecord): Place | Dead {
    const deployment = columns.deployment.codes[row]!
    const version = columns.version.codes[row]!
    const variant = columns.variant.codes[row]!
    const environment = columns.environment.codes[row]!
    const tenant = columns.tenant.tags[row] === tags.word ? columns.tenant.codes[row]! : noTenant
    const generation = columns.generation.numbers[row]!
    const time = columns.eventTimeMs.numbers[row]!
    const areKnown = deployment >= 0 && version >= 0 && environment >= 0 && tenant !== unknownWord
    const at = (deployment * columns.version.table.words.length + version) * variants.length + variant
    const recent = areKnown ? this.#recent[at] : undefined
    if (
      recent !== undefined &&
      recent.environment === environment &&
      recent.tenant === tenant &&
      recent.generation === generation &&
      recent.place.topic === record.topic &&
      recent.place.partition === record.partition &&
      time >= recent.place.pane &&
      time < recent.place.pane + recent.place.watch.paneMs &&
      time <= record.at + defaultTimes.maxFutureSkewMs
    ) {
      return recent.place
    }
    const found = placeOf(this.#compiled, columns, row, record)
    if ('reason' in found) return found
    const place = this.#same(found)
    if (areKnown) this.#recent[at] = { place, environment, tenant, generation }
    return place
  }

  #same(place: Place): Place {
    const key = placeKey(place)
    const known = this.#places.get(key)
    if (known !== undefined) return known
    this.#places.set(key, place)
    return place
  }
}

/** Sorts places as a reader would. */
export function placeKey({ watch, generation, version, variant, pane, topic, partition }: Place): string {
  return [watch.deployment, generation, version, variant, pane, watch.specHash, topic, partition].join(' ')
}

/** Which watch, version and pane a row of the columns belongs to, or why to none. */
function placeOf(compiled: Compiled, columns: Columns, row: number, record: LogRecord): Place | Dead {
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
  const variant = variants[columns.variant.codes[row]!]!
  return { watch, generation, version, variant, pane, topic: record.topic, partition: record.partition }
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
