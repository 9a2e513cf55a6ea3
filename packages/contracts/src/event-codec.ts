import { Malformed } from './avro/bytes.ts'
import { fromDefault } from './avro/default.ts'
import { readAvro } from './avro/read.ts'
import type { AvroField, AvroRecord } from './avro/schema.ts'
import { isPlainObject } from './avro/shape.ts'
import { WrongShape, writeAvro } from './avro/write.ts'
import { canonicalJson } from './canonical.ts'
import type { DeadReason } from './dead-letter.ts'
import type { FieldMapping } from './document.ts'
import { contentTypes, type Feature, type Outcome, type Prediction, predictionStatuses } from './event.ts'
import { maxJsonBytes, parseStrict } from './parse-strict.ts'
import { ownRegistry, type SchemaRegistry, UnknownSchema } from './schema-registry.ts'
import { encodeWire, wireBody, wireSchemaId } from './wire.ts'

export interface Events {
  readonly prediction: Prediction
  readonly feature: Feature
  readonly outcome: Outcome
}
export type EventKind = keyof Events

/** Why a record of a customer's topic cannot be taken. `row` is its place in a message of several. */
export class BadEvent extends Error {
  override readonly name = 'BadEvent'
  readonly reason: DeadReason
  readonly row: number

  constructor(reason: DeadReason, row: number, detail: string) {
    super(detail)
    this.reason = reason
    this.row = row
  }
}

/**
 * One event in Confluent wire format, under our own schema.
 *
 * @param id  under which a schema registry has that schema; absent: our own id of it
 * @throws WrongShape naming the field that does not fit
 */
export function encodeEventAvro<Kind extends EventKind>(kind: Kind, event: Events[Kind], id?: number): Uint8Array {
  const schema = ownRegistry.newest(kind)
  return encodeWire(id === undefined ? schema : { ...schema, id, node: schema.node }, event)
}

/** One event, or several as `{"records":[…]}`, in canonical JSON. @throws TypeError for NaN and infinities. */
export function encodeEventJson(events: readonly Events[EventKind][]): Uint8Array {
  return Buffer.from(canonicalJson(events.length === 1 ? events[0] : { records: events }), 'utf8')
}

/**
 * Events of one message, one record at a time: the reference that faster decoders are held against.
 *
 * A field that the producer did not send has its default; fields that we do not know are ignored. `mapping` names the
 * producer's fields, `features.<name>` and `segments.<name>` single ones of the maps.
 *
 * @throws BadEvent for the first row that cannot be taken.
 */
export function decodeEvents<Kind extends EventKind>(
  kind: Kind,
  contentType: string,
  bytes: Uint8Array,
  options: { readonly registry?: SchemaRegistry; readonly mapping?: FieldMapping } = {},
): Events[Kind][] {
  if (bytes.length > maxJsonBytes) {
    throw new BadEvent('oversized', 0, `the message has ${bytes.length} bytes, and ${maxJsonBytes} are allowed`)
  }
  const rows = plainRows(contentType, bytes, options.registry ?? ownRegistry)
  return rows.map((row, index) => {
    try {
      return eventOf(kind, row, options.mapping ?? {})
    } catch (error) {
      if (error instanceof WrongShape) throw new BadEvent('wrong-type', index, error.message)
      throw error
    }
  })
}

function plainRows(contentType: string, bytes: Uint8Array, registry: SchemaRegistry): readonly unknown[] {
  try {
    if (contentType === contentTypes.json) {
      const json = parseStrict(bytes)
      return isPlainObject(json) && Array.isArray(json.records) ? json.records : [json]
    }
    if (contentType === contentTypes.avro) {
      const { node } = registry.byId(wireSchemaId(bytes))
      return [readAvro(node, node, wireBody(bytes))]
    }
  } catch (error) {
    if (error instanceof UnknownSchema) throw new BadEvent('unknown-schema', 0, error.message)
    if (error instanceof Malformed) throw new BadEvent('malformed', 0, error.message)
    throw error
  }
  throw new BadEvent(
    'malformed',
    0,
    `content type "${contentType.slice(0, 80)}" is none of ${Object.values(contentTypes).join(', ')}`,
  )
}

/** An event of plain fields, checked. @throws WrongShape naming the field that does not fit. */
export function eventOf<Kind extends EventKind>(kind: Kind, row: unknown, mapping: FieldMapping): Events[Kind] {
  const { node } = ownRegistry.newest(kind)
  if (!isPlainObject(row)) throw new WrongShape(`${kind}: should be an object`)
  const event: Record<string, unknown> = {}
  for (const field of (node as AvroRecord).fields) {
    const value = mapped(field, row, mapping)
    event[field.name] = value === undefined && field.fallback ? fromDefault(field) : value
  }
  writeAvro(node, event)
  if (kind === 'prediction') checkWords(event)
  return event as unknown as Events[Kind]
}

function mapped(field: AvroField, row: Record<string, unknown>, mapping: FieldMapping): unknown {
  const value = at(row, mapping[field.name] ?? field.name)
  if (field.type.kind !== 'map') return value
  const prefix = `${field.name}.`
  const single = Object.entries(mapping).filter(([ours]) => ours.startsWith(prefix))
  if (single.length === 0) return value
  const map: Record<string, unknown> = isPlainObject(value) ? { ...value } : {}
  for (const [ours, theirs] of single) {
    const one = at(row, theirs)
    if (one !== undefined) map[ours.slice(prefix.length)] = one
  }
  return map
}

/** Value at a dotted path; a field whose own name has the dots goes first. */
function at(row: Record<string, unknown>, path: string): unknown {
  if (Object.hasOwn(row, path)) return row[path]
  let value: unknown = row
  for (const name of path.split('.')) {
    if (!isPlainObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

const variants = ['stable', 'candidate', 'shadow']

function checkWords(event: Record<string, unknown>): void {
  const { variant, status } = event
  if (!variants.includes(variant as string)) {
    throw new WrongShape(
      `prediction: variant should be one of ${variants.join(', ')} and is "${String(variant).slice(0, 40)}"`,
    )
  }
  if (!predictionStatuses.some((lawful) => lawful === status)) {
    throw new WrongShape(
      `prediction: status should be one of ${predictionStatuses.join(', ')} and is "${String(status).slice(0, 40)}"`,
    )
  }
}
