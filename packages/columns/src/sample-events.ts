/** Events and encodings for tests only; no product code imports this. */
import {
  type CountSpec,
  type FieldMapping,
  ownRegistry,
  type Prediction,
  predictionStatuses,
} from '@interlock/contracts'
import {
  Dictionary,
  Float64,
  Int32,
  makeVector,
  Table,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import { Columns, type EventKind, tags, variants, type Wanted } from './columns.ts'
import { topicReader } from './decode.ts'
import { wantedOf } from './wanted.ts'

export const sampleSpec: CountSpec = {
  v: 1,
  features: [
    { kind: 'numeric', name: 'distance', edges: [0, 100, 500, 1000, 2000], scale: 1 },
    { kind: 'numeric', name: 'rate', edges: [0, 0.125, 0.25, 1], scale: 2 ** -10 },
    { kind: 'categorical', name: 'origin', vocabulary: ['ATL', 'ORD', '__other__'], pooled: ['ABE', 'Ærø'] },
  ],
  latencyEdgesMs: [0, 5, 10, 50, 1000],
  scoreEdges: [0, 0.25, 0.5, 0.75, 1],
  classes: ['delayed', 'on-time'],
  segments: [
    { name: 'airport', values: ['ATL', 'ORD'] },
    { name: 'size', values: ['big', 'small'] },
  ],
  producers: ['east', 'west'],
}

export const sampleWanted: Wanted = wantedOf({
  environments: ['prod'],
  tenants: ['acme'],
  deployments: ['flight-delay'],
  versions: ['m@v1', 'm@v2'],
  specs: [sampleSpec],
})

const oddNumber = fc.oneof(
  fc.double({ min: -10, max: 2_100, noNaN: true }),
  fc.constantFrom(0, -0, 100, 500, 2_000, 5e-324, 1e308, -1e308, 2 ** 53, 0.125),
)
/** JSON and Avro alike carry these; NaN and infinities are Avro's and Arrow's alone and tested apart. */
const feature = fc.oneof(fc.constant(null), oddNumber)
const word = fc.constantFrom('ATL', 'ORD', 'ABE', 'Ærø', 'XXX', '', 'toString')

export const anyPrediction: fc.Arbitrary<Prediction> = fc.record({
  id: fc.uuid(),
  environment: fc.constantFrom('prod', 'test'),
  tenant: fc.constantFrom('acme', 'default'),
  deployment: fc.constantFrom('flight-delay', 'nobody-knows'),
  generation: fc.integer({ min: 0, max: 3 }),
  version: fc.constantFrom('m@v1', 'm@v2', 'm@v9'),
  variant: fc.constantFrom(...variants),
  unit: fc.string(),
  eventTimeMs: fc.integer({ min: -1, max: 2 ** 42 }),
  features: fc.record(
    { distance: feature, rate: feature, origin: fc.oneof(fc.constant(null), word) },
    { requiredKeys: [] },
  ),
  prediction: fc.constantFrom('delayed', 'on-time', 'sideways', null),
  score: fc.oneof(fc.constant(null), fc.double({ min: -0.5, max: 1.5, noNaN: true })),
  latencyMs: fc.oneof(fc.constant(null), fc.double({ min: 0, max: 2_000, noNaN: true })),
  status: fc.constantFrom(...predictionStatuses),
  segments: fc.record({ airport: word, size: fc.constantFrom('big', 'small', 'tiny') }, { requiredKeys: [] }),
  producer: fc.constantFrom('east', 'west', 'south', ''),
}) as fc.Arbitrary<Prediction>

/** The same event over and over, with what a test is about. */
export function prediction(changes: Partial<Prediction> = {}): Prediction {
  return {
    id: 'p-1',
    environment: 'prod',
    tenant: 'acme',
    deployment: 'flight-delay',
    generation: 1,
    version: 'm@v1',
    variant: 'stable',
    unit: 'u-1',
    eventTimeMs: 1_700_000_000_000,
    features: { distance: 250, rate: 0.1, origin: 'ORD' },
    prediction: 'on-time',
    score: 0.3,
    latencyMs: 7,
    status: 'ok',
    segments: { airport: 'ORD', size: 'big' },
    producer: 'east',
    ...changes,
  }
}

/** One Arrow IPC stream as schemas/README.md "Arrow layout of predictions" has it. */
export function arrowOf(events: readonly Prediction[]): Uint8Array {
  const columns: Record<string, Vector> = {}
  const numbers = (values: readonly (number | null)[]): Vector => vectorFromArray(values, new Float64())
  const words = (values: readonly (string | null)[]): Vector =>
    vectorFromArray(values, new Dictionary(new Utf8(), new Int32()))
  for (const name of ['id', 'unit'] as const) {
    columns[name] = vectorFromArray(
      events.map((event) => event[name]),
      new Utf8(),
    )
  }
  for (const name of [
    'environment',
    'tenant',
    'deployment',
    'version',
    'variant',
    'status',
    'producer',
    'prediction',
  ] as const)
    columns[name] = words(events.map((event) => event[name]))
  for (const name of ['score', 'latencyMs'] as const) columns[name] = numbers(events.map((event) => event[name]))
  for (const name of ['generation', 'eventTimeMs'] as const)
    columns[name] = makeVector(Float64Array.from(events, (event) => event[name]))
  for (const kind of ['features', 'segments'] as const) {
    for (const name of new Set(events.flatMap((event) => Object.keys(event[kind])))) {
      const values = events.map((event) => event[kind][name] ?? null)
      const isText = values.some((value) => typeof value === 'string')
      columns[`${kind}.${name}`] = isText
        ? words(values.map((value) => (value === null ? null : String(value))))
        : numbers(values as (number | null)[])
    }
  }
  return tableToIPC(new Table(columns), 'stream')
}

export interface Message {
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/** Decodes messages of a topic of predictions, or of another kind, into fresh columns. */
export function decoded(
  messages: readonly Message[],
  {
    mapping = {},
    kind = 'predictions',
    wanted = sampleWanted,
  }: { readonly mapping?: FieldMapping; readonly kind?: EventKind; readonly wanted?: Wanted } = {},
): { readonly columns: Columns; readonly rows: readonly number[] } {
  const columns = new Columns(wanted, 1)
  const reader = topicReader(kind, mapping, ownRegistry, columns)
  const rows = messages.map((message, index) => reader.read(message, columns, index))
  return { columns, rows }
}

type Cell = number | string | null

/** A row's cells as plain values; words that the columns do not know are `?`, and JSON knows no −0. */
export function cellsOf(columns: Columns, row: number): Record<string, Cell> {
  return Object.fromEntries(
    columns.all.map(({ name, tags: kinds, numbers, codes, table }) => {
      const kind = kinds[row]
      if (kind === tags.number) return [name, numbers[row]! + 0]
      if (kind === tags.word) return [name, table.words[codes[row]!] ?? '?']
      return [name, kind === tags.missing ? null : '!']
    }),
  )
}

/** What `cellsOf` must be for an event. */
export function expectedCells(event: Prediction): Record<string, Cell> {
  return Object.fromEntries(
    new Columns(sampleWanted, 1).all.map(({ name, table }) => {
      const [kind, inner] = name.split('.') as ['features' | 'segments', string?]
      const value = inner === undefined ? event[name as 'score'] : event[kind][inner]
      if (typeof value !== 'string') return [name, typeof value === 'number' ? value + 0 : null]
      return [name, table.words.includes(value) ? value : '?']
    }),
  )
}
