import type { Json } from '@interlock/contracts'
import { bounds } from './bounds.ts'
import type { Column, Columns, EventKind } from './columns.ts'
import { Unreadable } from './fault.ts'
import type { Paths } from './paths.ts'
import { strictJson } from './strict-json.ts'

type JsonObject = { readonly [key: string]: Json | undefined }

/** A column that is read from a place of its own. */
interface Way {
  readonly place: number
  readonly path: string
  readonly keys: readonly string[]
}

/** The object that holds the features, or the segments, and the columns that are read from it by name. */
interface Holder {
  readonly name: string
  readonly path: string
  readonly keys: readonly string[]
  readonly places: readonly number[]
  readonly names: readonly string[]
}

/** How events of a topic become rows: made once per mapping. */
export interface JsonPlan {
  readonly ways: readonly Way[]
  readonly holders: readonly Holder[]
}

export function jsonPlan(columns: Columns, paths: Paths): JsonPlan {
  const placed = [...paths.columns].flatMap(([path, places]) =>
    places.map((place) => ({ path, place, name: columns.all[place]!.name })),
  )
  // A feature's own name may hold dots; below its holder it is one key, as in the map that holds it.
  const isHeld = ({ path, name }: (typeof placed)[number], kind: 'features' | 'segments'): boolean =>
    name.startsWith(`${kind}.`) && path === `${paths[kind]}.${name.slice(kind.length + 1)}`
  const holders = (['features', 'segments'] as const).map((kind) => {
    const held = placed.filter((column) => isHeld(column, kind))
    return {
      name: kind,
      path: paths[kind],
      keys: paths[kind].split('.'),
      places: held.map(({ place }) => place),
      names: held.map(({ name }) => name.slice(kind.length + 1)),
    }
  })
  const ways = placed.filter((column) => !isHeld(column, 'features') && !isHeld(column, 'segments'))
  return { ways: ways.map(({ path, place }) => ({ place, path, keys: path.split('.') })), holders }
}

/**
 * Reads a JSON message: one event, or `{"records": [event, …]}`. A bad event among several costs only itself.
 *
 * @throws Malformed, Unreadable when the message as a whole is no such thing.
 */
export function readJson(plan: JsonPlan, bytes: Uint8Array, columns: Columns, kind: EventKind, record: number): number {
  const message = strictJson(bytes)
  if (!isObject(message)) {
    throw new Unreadable('malformed', 'JSON: the message is no object; send one event, or {"records": [event, …]}')
  }
  const records = Object.hasOwn(message, 'records') ? message.records : undefined
  const events = Array.isArray(records) ? (records as readonly Json[]) : [message]
  if (events.length > bounds.rows) {
    throw new Unreadable('oversized', `JSON: ${events.length} events in one message; at most ${bounds.rows} are taken`)
  }
  columns.reserve(events.length)
  events.forEach((event, index) => {
    const wrong = isObject(event) ? fill(plan, event, columns) : 'an event is no object'
    if (wrong === null) {
      columns.endRow(kind, record, index)
    } else {
      columns.wipe()
      columns.fault(record, index, 'wrong-type', `JSON: ${wrong}`)
    }
  })
  return events.length
}

function fill({ ways, holders }: JsonPlan, event: JsonObject, columns: Columns): string | null {
  const row = columns.rows
  for (const { name, path, keys, places, names } of holders) {
    const holder = follow(event, keys, path)
    if (holder === undefined || holder === null) continue
    if (!isObject(holder)) return `field ${name} is no object of names and values`
    for (let index = 0; index < names.length; index++) {
      const key = names[index]!
      if (Object.hasOwn(holder, key)) put(columns.all[places[index]!]!, row, holder[key])
    }
  }
  for (const { place, path, keys } of ways) put(columns.all[place]!, row, follow(event, keys, path))
  return null
}

/** Value at the keys, one inside the other; a field whose own name has the dots goes first. */
function follow(event: JsonObject, keys: readonly string[], path: string): Json | undefined {
  if (Object.hasOwn(event, path)) return event[path]
  let at: Json | undefined = event
  for (const key of keys) {
    if (!isObject(at) || !Object.hasOwn(at, key)) return undefined
    at = at[key]
  }
  return at
}

function put(column: Column, row: number, value: Json | undefined): void {
  if (value === undefined || value === null) column.putNothing(row)
  else if (typeof value === 'number') column.putNumber(row, value)
  else if (typeof value === 'string') column.putText(row, value)
  else column.putOther(row)
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
