import {
  contentTypes,
  type FieldMapping,
  type LogRecord,
  Malformed,
  type SchemaRegistry,
  UnknownSchema,
} from '@interlock/contracts'
import { readArrow } from './arrow.ts'
import { type AvroPlan, avroPlan, readAvroRow } from './avro.ts'
import { bounds } from './bounds.ts'
import type { Columns, EventKind } from './columns.ts'
import { quoted, Unreadable } from './fault.ts'
import { type JsonPlan, jsonPlan, readJson } from './json.ts'
import { type Paths, pathsOf } from './paths.ts'

type ContentType = keyof typeof contentTypes

/** How records of one topic are read: its kind of event, its field names, and the plans made so far. */
export interface TopicReader {
  /**
   * Reads record `index` of the batch into `columns`, which have the shape that the reader was made with. Never throws
   * for what a payload holds: what cannot be read is a fault of `columns`.
   *
   * @returns how many rows the record has, good and bad; a record that is unreadable as a whole counts as one
   */
  read(record: Pick<LogRecord, 'value' | 'headers'>, columns: Columns, index: number): number
}

const subjects = { predictions: 'prediction', features: 'feature', outcomes: 'outcome' } as const

/** @param shape any columns of the shape that the reader will be given: plans name columns by their place in it */
export function topicReader(
  kind: EventKind,
  mapping: FieldMapping,
  registry: SchemaRegistry,
  shape: Columns,
): TopicReader {
  const paths = pathsOf(shape, mapping)
  const json = jsonPlan(shape, paths)
  const plans = new Map<number, AvroPlan>()
  const planOf = (id: number): AvroPlan => {
    const known = plans.get(id)
    if (known !== undefined) return known
    const made = avroPlan(registry.byId(id).node, registry.newest(subjects[kind]).node, paths)
    plans.set(id, made)
    return made
  }
  return {
    read: (record, columns, index) => {
      const before = { rows: columns.rows, faults: columns.faults.length }
      try {
        return readPayload(record, columns, index, { kind, paths, json, planOf })
      } catch (error) {
        columns.truncate(before.rows)
        columns.wipe()
        columns.faults.length = before.faults
        if (error instanceof Unreadable) columns.fault(index, -1, error.reason, error.message)
        else if (error instanceof Malformed) columns.fault(index, -1, 'malformed', error.message)
        else if (error instanceof UnknownSchema) columns.fault(index, -1, 'unknown-schema', error.message)
        else throw error
        return 1
      }
    },
  }
}

interface Plans {
  readonly kind: EventKind
  readonly paths: Paths
  readonly json: JsonPlan
  planOf(id: number): AvroPlan
}

function readPayload(
  { value, headers }: Pick<LogRecord, 'value' | 'headers'>,
  columns: Columns,
  index: number,
  { kind, paths, json, planOf }: Plans,
): number {
  if (value === null || value.length === 0) throw new Unreadable('malformed', 'the record has no value')
  if (value.length > bounds.recordBytes) {
    throw new Unreadable('oversized', `the record has ${value.length} bytes; at most ${bounds.recordBytes} are taken`)
  }
  switch (contentTypeOf(headers, value)) {
    case 'json':
      return readJson(json, value, columns, kind, index)
    case 'arrow':
      return readArrow(paths, value, columns, kind, index)
    case 'avro': {
      const header = 5
      if (value[0] !== 0 || value.length < header) {
        throw new Unreadable('malformed', 'Avro: not the Confluent wire format (byte 0, four bytes of schema id, data)')
      }
      const id = new DataView(value.buffer, value.byteOffset).getUint32(1)
      columns.reserve(1)
      readAvroRow(planOf(id), value, header, columns)
      columns.endRow(kind, index, 0)
      return 1
    }
  }
}

/** What the `content-type` header says, or, without one, what the first byte is the mark of. */
function contentTypeOf(headers: LogRecord['headers'], value: Uint8Array): ContentType {
  const header = Object.hasOwn(headers, 'content-type') ? headers['content-type'] : undefined
  if (header !== undefined) {
    const name = header.split(';', 1)[0]!.trim().toLowerCase()
    for (const type of Object.keys(contentTypes) as ContentType[]) if (contentTypes[type] === name) return type
    throw new Unreadable(
      'malformed',
      `content-type ${quoted(header)} is not known; use one of ${Object.values(contentTypes).join(', ')}`,
    )
  }
  const [first] = value
  if (first === 0) return 'avro'
  if (first === 0x7b || first === 0x5b) return 'json'
  if (first === 0xff) return 'arrow'
  throw new Unreadable('malformed', `no content-type header, and byte ${first} begins neither Avro, JSON nor Arrow`)
}
