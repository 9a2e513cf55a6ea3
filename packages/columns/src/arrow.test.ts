import {
  Bool,
  Dictionary,
  Field,
  Float32,
  Int32,
  Int64,
  LargeUtf8,
  List,
  makeVector,
  Table,
  TimestampMicrosecond,
  tableToIPC,
  Uint8,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow'
import { expect, test } from 'vitest'
import { bounds } from './bounds.ts'
import { arrowOf, cellsOf, decoded, prediction } from './sample-events.ts'

const words = (values: readonly (string | null)[], index = new Int32()): Vector =>
  vectorFromArray(values, new Dictionary(new Utf8(), index))

/** A batch of one prediction with these columns instead of, or besides, the usual ones. */
function stream(columns: Readonly<Record<string, Vector>>, rows = 1): Uint8Array {
  const all = (value: string): Vector => vectorFromArray(Array<string>(rows).fill(value), new Utf8())
  return tableToIPC(
    new Table({
      environment: all('prod'),
      deployment: all('flight-delay'),
      version: all('m@v1'),
      variant: all('stable'),
      status: all('ok'),
      generation: makeVector(new Float64Array(rows).fill(1)),
      eventTimeMs: makeVector(new Float64Array(rows).fill(1_700_000_000_000)),
      ...columns,
    }),
    'stream',
  )
}

function read(bytes: Uint8Array) {
  const { columns, rows } = decoded([{ value: bytes, headers: {} }])
  return {
    faults: columns.faults,
    rows: rows[0],
    cells: Array.from({ length: columns.rows }, (_, row) => cellsOf(columns, row)),
  }
}

test('columns of other widths and types than ours are read, and what is no number or text is a wrong type', () => {
  const { cells, faults } = read(
    stream({
      generation: vectorFromArray([1], new Int32()),
      eventTimeMs: vectorFromArray([1_700_000_000_000], new TimestampMicrosecond()),
      'features.distance': vectorFromArray([250n], new Int64()),
      'features.rate': vectorFromArray([0.5], new Float32()),
      'features.origin': vectorFromArray(['ORD'], new LargeUtf8()),
      score: vectorFromArray([true], new Bool()),
      'segments.airport': words(['ATL'], new Uint8() as unknown as Int32),
      tags: vectorFromArray([['a', 'b']], new List(new Field('item', new Utf8()))),
      producer: words(['west']),
    }),
  )
  expect(faults).toEqual([])
  expect(cells).toMatchObject([
    {
      generation: 1,
      eventTimeMs: 1_700_000_000_000,
      'features.distance': 250,
      'features.rate': 0.5,
      'features.origin': 'ORD',
      score: '!',
      'segments.airport': 'ATL',
      producer: 'west',
    },
  ])
})

test('nulls are missing in every kind of column', () => {
  const { cells } = read(
    stream(
      {
        'features.distance': vectorFromArray([null, 1.5, null], new Float32()),
        'features.origin': words([null, 'ORD', 'ATL']),
        producer: vectorFromArray(['east', null, 'west'], new Utf8()),
      },
      3,
    ),
  )
  expect(cells.map((row) => [row['features.distance'], row['features.origin'], row.producer])).toEqual([
    [null, null, 'east'],
    [1.5, 'ORD', null],
    [null, 'ATL', 'west'],
  ])
})

test('two batches in a message, and more rows than the bound, are refused whole', () => {
  const one = arrowOf([prediction()])
  const end = 8
  const twice = Buffer.concat([one.subarray(0, one.length - end), one.subarray(0)])
  expect(read(twice)).toMatchObject({ rows: 1, cells: [], faults: [{ reason: 'malformed' }] })
  const rows = bounds.rows + 1
  const many = tableToIPC(new Table({ flag: vectorFromArray(Array(rows).fill(false), new Bool()) }), 'stream')
  expect(read(many)).toMatchObject({ rows: 1, faults: [{ row: -1, reason: 'oversized' }] })
})

test('a message that was cut right behind its schema is malformed, and not an empty batch', () => {
  const whole = arrowOf([prediction()])
  // A schema message is a marker, the length of its metadata, and the metadata; it has no body.
  const schemaEnd = 8 + new DataView(whole.buffer, whole.byteOffset).getInt32(4, true)
  expect(read(whole.subarray(0, schemaEnd))).toMatchObject({ cells: [], faults: [{ row: -1, reason: 'malformed' }] })
})

test('a batch that names no required column is a fault a row', () => {
  const rows = 3
  const strange = tableToIPC(new Table({ flag: vectorFromArray(Array(rows).fill(false), new Bool()) }), 'stream')
  expect(read(strange)).toMatchObject({ rows, cells: [] })
  expect(read(strange).faults.map(({ row, reason }) => [row, reason])).toEqual([
    [0, 'wrong-type'],
    [1, 'wrong-type'],
    [2, 'wrong-type'],
  ])
})
