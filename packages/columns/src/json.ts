import { type Json, parseStrict } from '@interlock/contracts'
import { bounds } from './bounds.ts'
import type { Column, Columns, EventKind } from './columns.ts'
import { Unreadable } from './fault.ts'
import type { Paths } from './paths.ts'

type JsonObject = { readonly [key: string]: Json | undefined }

/** One column and the keys that lead to it. */
interface Way {
  readonly place: number
  readonly path: string
  readonly keys: readonly string[]
}

/** How events of a topic become rows: made once per mapping. */
export interface JsonPlan {
  readonly ways: readonly Way[]
  readonly holders: readonly { readonly name: string; readonly path: string; readonly keys: readonly string[] }[]
}

export function jsonPlan(columns: Columns, paths: Paths): JsonPlan {
  const split = (path: string): string[] => path.split('.')
  const ways: Way[] = []
  for (const [path, place] of paths.columns) {
    const name = columns.all[place]!.name
    const [kind, ...rest] = name.split('.') as ['features' | 'segments', ...string[]]
    const holder = rest.length > 0 ? paths[kind] : null
    // A feature's own name may hold dots; below its holder it is one key, as in the map that holds it.
    const own = holder !== null && path === `${holder}.${rest.join('.')}`
    ways.push({ place, path, keys: own ? [...split(holder as string), rest.join('.')] : split(path) })
  }
  const holders = (['features', 'segments'] as const).map((name) => ({
    name,
    path: paths[name],
    keys: split(paths[name]),
  }))
  return { ways, holders }
}

/**
 * Reads a JSON message: one event, or `{"records": [event, …]}`. A bad event among several costs only itself.
 *
 * @throws Malformed, Unreadable when the message as a whole is no such thing.
 */
export function readJson(plan: JsonPlan, bytes: Uint8Array, columns: Columns, kind: EventKind, record: number): number {
  const message = parseStrict(bytes, { maxBytes: bounds.recordBytes })
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

function fill(plan: JsonPlan, event: JsonObject, columns: Columns): string | null {
  for (const { name, keys, path } of plan.holders) {
    const holder = follow(event, keys, path)
    if (holder !== undefined && holder !== null && !isObject(holder))
      return `field ${name} is no object of names and values`
  }
  for (const { place, keys, path } of plan.ways) put(columns.all[place]!, columns.rows, follow(event, keys, path))
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
