import { encodeArrow } from '@interlock/client'
import {
  contentTypes,
  type DeadReason,
  encodeEventAvro,
  encodeEventJson,
  ownRegistry,
  type Prediction,
} from '@interlock/contracts'
import { predictions } from '../process/small-deployment.ts'

/** One message to the door, and what must become of each of its rows. */
export interface Sent {
  readonly name: string
  /** Null: no such header. */
  readonly contentType: string | null
  readonly body: Uint8Array | string
  /** Rows that it has, good and bad; a message that cannot be read counts as one. */
  readonly rows: number
  /** Rows that must be counted. */
  readonly counted: number
  /** One letter a reason: the first row that died of it, and how many did. */
  readonly letters: readonly { readonly row: number; readonly reason: DeadReason; readonly rows: number }[]
}

const year = 365 * 86_400_000
/** Rows of the messages that try to cost much. */
const many = 5_000

/** Every message, made at the present time: good ones, and everything that may be wrong with one. */
export function messages(now: () => number): readonly Sent[] {
  const one = (changes: Partial<Prediction> | Record<string, unknown> = {}): Prediction =>
    predictions(1, 1, now, 'case', changes as Partial<Prediction>)[0] as Prediction
  const json = (value: unknown): string => JSON.stringify(value)
  const whole = (
    name: string,
    reason: DeadReason,
    body: Uint8Array | string,
    contentType: string | null = contentTypes.json,
  ): Sent => ({ name, contentType, body, rows: 1, counted: 0, letters: [{ row: 0, reason, rows: 1 }] })
  const event = (name: string, reason: DeadReason, changes: Record<string, unknown>): Sent =>
    whole(name, reason, json(one(changes)))
  const counted = (
    name: string,
    rows: number,
    body: Uint8Array | string,
    contentType: string | null = contentTypes.json,
  ): Sent => ({ name, contentType, body, rows, counted: rows, letters: [] })

  const avro = encodeEventAvro('prediction', one())
  const arrow = encodeArrow(predictions(64, 2, now, 'arrow'))
  const patched = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
    const copy = new Uint8Array(bytes)
    copy[at] = value
    return copy
  }
  const text = json(one())
  const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const without = (field: string): string => {
    const { [field]: _, ...rest } = one() as unknown as Record<string, unknown>
    return json(rest)
  }
  const mixed = [
    one(),
    one({ version: 'toy@v9' }),
    one(),
    'no object',
    one({ version: 'toy@v8' }),
    one({ eventTimeMs: now() + 10 * year }),
    one({ eventTimeMs: 'yesterday' }),
    one(),
  ]
  const mixedArrow = [
    one(),
    one({ environment: 'elsewhere' }),
    one(),
    one({ eventTimeMs: -5 }),
    one({ environment: 'x' }),
  ]

  return [
    // ── Good ones, as the client's encoders make them ──
    counted('JSON, one event', 1, encodeEventJson([one()])),
    counted('JSON, forty events', 40, encodeEventJson(predictions(40, 3, now, 'json'))),
    counted('JSON with parameters in its content type', 1, text, 'application/json; charset=utf-8'),
    counted('JSON with an unknown field and no segment', 1, json({ ...one(), segments: {}, mood: [1, { a: 2 }] })),
    counted('Avro', 1, avro, contentTypes.avro),
    counted('Arrow, 64 events', 64, arrow, contentTypes.arrow),
    counted('no event at all', 0, json({ records: [] })),

    // ── Unreadable as a whole ──
    whole('JSON cut in the middle', 'malformed', text.slice(0, -20)),
    whole('JSON with something behind it', 'malformed', `${text}}`),
    whole('JSON that is a list', 'malformed', `[${text}]`),
    whole('JSON that is a number', 'malformed', '42'),
    whole('JSON with a bare NaN', 'malformed', text.replace(/"score":[^,]+/, '"score":NaN')),
    whole('JSON with a number beyond a double', 'malformed', text.replace(/"score":[^,]+/, '"score":1e999')),
    whole('JSON with a key twice', 'malformed', text.replace('{', '{"version":"toy@v1",')),
    whole('JSON with the key __proto__', 'malformed', text.replace('{', '{"__proto__":{"version":"toy@v1"},')),
    whole(
      'JSON with __proto__ inside the features',
      'malformed',
      text.replace('"features":{', '"features":{"__proto__":1,'),
    ),
    whole('JSON nested 40 deep', 'malformed', text.replace('{', `{"deep":${deep(40)},`)),
    whole('JSON nested 100,000 deep', 'malformed', deep(100_000)),
    whole('JSON in UTF-16', 'malformed', Buffer.from(text, 'utf16le')),
    whole('JSON with half a surrogate', 'malformed', text.replace('"unit":"', '"unit":"\\ud800')),
    whole('bytes that are no UTF-8', 'malformed', Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d)),
    whole('65,537 events in one message', 'oversized', `{"records":[${'0,'.repeat(65_536)}0]}`),
    whole('a content type that nobody knows', 'malformed', text, 'text/csv'),
    whole('Avro that ends early', 'malformed', avro.subarray(0, avro.length - 7), contentTypes.avro),
    whole('Avro that is its header only', 'malformed', avro.subarray(0, 5), contentTypes.avro),
    whole('Avro with bytes behind the record', 'malformed', Buffer.concat([avro, Buffer.of(0)]), contentTypes.avro),
    whole('Avro without the magic byte', 'malformed', patched(avro, 0, 7), contentTypes.avro),
    whole('Avro under a schema that nobody registered', 'unknown-schema', patched(avro, 1, 0x7f), contentTypes.avro),
    whole(
      'Avro under the schema of another record',
      'wrong-type',
      Buffer.concat([Buffer.of(0, 0, 0, 0, ownRegistry.newest('outs/echo').id), Buffer.of(0, 0, 0, 0, 0)]),
      contentTypes.avro,
    ),
    whole('JSON that says it is Avro', 'malformed', text, contentTypes.avro),
    whole('JSON that says it is Arrow', 'malformed', text, contentTypes.arrow),
    whole(
      'random bytes as Arrow',
      'malformed',
      Uint8Array.from({ length: 900 }, (_, at) => (at * 97) % 251),
      contentTypes.arrow,
    ),
    whole('Arrow cut in its rows', 'malformed', arrow.subarray(0, arrow.length - 400), contentTypes.arrow),
    whole('Arrow with a length of four gigabytes', 'malformed', patched(arrow, 7, 0x7f), contentTypes.arrow),

    // ── Readable, and not to be counted ──
    event('event time as text', 'wrong-type', { eventTimeMs: 'yesterday' }),
    event('version as a number', 'wrong-type', { version: 1 }),
    event('generation as text', 'wrong-type', { generation: '0' }),
    event('an unknown status', 'wrong-type', { status: 'fine' }),
    event('an unknown variant', 'wrong-type', { variant: 'arm-b' }),
    event('features as a list', 'wrong-type', { features: [1, 2] }),
    whole('no version', 'wrong-type', without('version')),
    whole('no event time', 'wrong-type', without('eventTimeMs')),
    event('ten years ahead', 'future', { eventTimeMs: now() + 10 * year }),
    event('two minutes ahead', 'future', { eventTimeMs: now() + 120_000 }),
    event('the year 1970', 'bad-time', { eventTimeMs: 0 }),
    event('seconds for milliseconds', 'bad-time', { eventTimeMs: Math.round(now() / 1000) }),
    event('a time before 1970', 'bad-time', { eventTimeMs: -1_000 }),
    event('a deployment that is not registered', 'unregistered', { deployment: 'nobody' }),
    event('a deployment called __proto__', 'unregistered', { deployment: '__proto__' }),
    event('another environment', 'wrong-environment', { environment: 'production' }),
    event('another tenant', 'wrong-environment', { tenant: 'somebody-else' }),
    event('a version that nobody registered', 'unknown-version', { version: 'toy@v9' }),
    event('a version called constructor', 'unknown-version', { version: 'constructor' }),
    event('a generation that does not run', 'wrong-generation', { generation: 7 }),

    // ── Good and bad rows in one message: the good ones are counted ──
    {
      name: 'good and bad rows in JSON',
      contentType: contentTypes.json,
      body: json({ records: mixed }),
      rows: 8,
      counted: 3,
      letters: [
        { row: 5, reason: 'future', rows: 1 },
        { row: 1, reason: 'unknown-version', rows: 2 },
        { row: 3, reason: 'wrong-type', rows: 2 },
      ],
    },
    {
      name: 'good and bad rows in Arrow',
      contentType: contentTypes.arrow,
      body: encodeArrow(mixedArrow),
      rows: 5,
      counted: 2,
      letters: [
        { row: 3, reason: 'bad-time', rows: 1 },
        { row: 1, reason: 'wrong-environment', rows: 2 },
      ],
    },

    // ── Strange, and counted as what it is ──
    counted('a feature that is NaN', 1, json(one({ features: { x: 'NaN', airport: 'AAA' } }))),
    counted('a feature that is infinite', 1, json(one({ features: { x: '-Infinity', airport: 'AAA' } }))),
    counted('NaN in Arrow', 1, encodeArrow([one({ features: { x: Number.NaN, airport: 'AAA' } })]), contentTypes.arrow),
    counted('features of the wrong kind', 1, json(one({ features: { x: true, airport: 12 } }))),
    counted(
      'no feature, no answer, no latency',
      1,
      json(one({ features: {}, prediction: null, score: null, latencyMs: null })),
    ),
    counted('an hour late', 1, json(one({ eventTimeMs: now() - 3_600_000 }))),
    counted(
      `${many} categories, segments and producers that nobody knows`,
      many,
      encodeArrow(
        Array.from({ length: many }, (_, row) =>
          one({ features: { x: 50, airport: `Z${row}` }, segments: { airport: `S${row}` }, producer: `P${row}` }),
        ),
      ),
      contentTypes.arrow,
    ),
    {
      name: `${many} rows of as many seconds`,
      contentType: contentTypes.arrow,
      body: encodeArrow(Array.from({ length: many }, (_, row) => one({ eventTimeMs: now() - row * 1_000 }))),
      rows: many,
      counted: 0,
      letters: [{ row: 0, reason: 'oversized', rows: many }],
    },
  ]
}

/** What the strange rows above add to the bins of the features. */
export const strangeCounts = {
  /** NaN and infinite as text, NaN in Arrow, a boolean. */
  xInvalid: 4,
  airportUnseen: many,
  airportInvalid: 1,
} as const
