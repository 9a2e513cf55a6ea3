import { Columns, counterOf, IdSample, Tally, topicReader, wantedOf } from '@interlock/columns'
import {
  type CountSpec,
  contentTypes,
  encodeEventAvro,
  encodeEventJson,
  histogramWidth,
  layoutOf,
  ownRegistry,
  type Prediction,
} from '@interlock/contracts'
import avsc from 'avsc'
import { random } from './sampling/random.ts'

const numericFeatures = 16
const categoricalFeatures = 4
const categories = 50
const warmUps = 5
const rounds = 9

type Message = { readonly value: Uint8Array; readonly headers: Readonly<Record<string, string>> }

/**
 * Bytes → counts, 20 features, two versions, five producers: our columns from Avro and JSON beside the way a team writes
 * it first, avsc's objects and a `Map` of counts. Both must give the same counts before anything is timed. The ways are
 * interleaved in one run; what counts is their ratio.
 */
export function bench(flags: readonly string[]): void {
  const rows = flags.includes('--quick') ? 2_048 : 16_384
  const events = eventsOf(rows)
  const avro = events.map((event) => ({
    value: encodeEventAvro('prediction', event),
    headers: { 'content-type': contentTypes.avro },
  }))
  const json = events.map((event) => ({
    value: encodeEventJson([event]),
    headers: { 'content-type': contentTypes.json },
  }))
  const expected = fingerprint(naive(avro))
  for (const counts of [ours(avro), ours(json), ours(avro, sampling)]) {
    if (fingerprint(counts) !== expected) throw new Error('the ways do not agree on the counts')
  }
  const ways: Readonly<Record<string, () => unknown>> = {
    'ours, Avro': () => ours(avro),
    'ours, Avro, with a sample of ids': () => ours(avro, sampling),
    'ours, JSON': () => ours(json),
    'avsc objects + Map': () => naive(avro),
    'JSON.parse alone': () => json.map(({ value }) => JSON.parse(new TextDecoder().decode(value))),
  }
  const times: Record<string, number[]> = {}
  for (let round = -warmUps; round < rounds; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const start = process.hrtime.bigint()
      run()
      const nanoseconds = Number(process.hrtime.bigint() - start) / rows
      if (round >= 0) times[name] = [...(times[name] ?? []), nanoseconds]
    }
  }
  const report = Object.entries(times).map(([way, all]) => {
    const sorted = all.toSorted((a, b) => a - b)
    return { way, medianNs: Math.round(sorted[rounds >> 1]!), minimumNs: Math.round(sorted[0]!) }
  })
  const medianOf = (name: string): number => report.find(({ way }) => way === name)!.medianNs
  const base = medianOf('avsc objects + Map')
  console.log(JSON.stringify({ bench: 'decode', rows, bytes: avro[0]!.value.length, report }))
  console.table(report.map((line) => ({ ...line, 'times as fast as avsc': Number((base / line.medianNs).toFixed(2)) })))
}

const spec: CountSpec = {
  v: 1,
  features: [
    ...Array.from({ length: numericFeatures }, (_, index) => ({
      kind: 'numeric' as const,
      name: `n${index}`,
      edges: Array.from({ length: 21 }, (_, edge) => edge * edge * (index + 1)),
      scale: 1 / 16,
    })),
    ...Array.from({ length: categoricalFeatures }, (_, index) => ({
      kind: 'categorical' as const,
      name: `c${index}`,
      vocabulary: Array.from({ length: categories }, (_, word) => `category-${word}`),
    })),
  ],
  latencyEdgesMs: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
  scoreEdges: Array.from({ length: 21 }, (_, edge) => edge / 20),
  classes: ['delayed', 'on-time'],
  segments: [],
  producers: ['p0', 'p1', 'p2', 'p3', 'p4'],
}

function eventsOf(rows: number): Prediction[] {
  const { next } = random(1)
  return Array.from({ length: rows }, (_, row) => {
    const features: Record<string, number | string | null> = {}
    for (let index = 0; index < numericFeatures; index++) {
      features[`n${index}`] = index % 4 === 3 && next() < 0.05 ? null : next() * 410 * (index + 1)
    }
    for (let index = 0; index < categoricalFeatures; index++) {
      features[`c${index}`] = `category-${Math.floor(next() * (categories + 1))}`
    }
    return {
      id: `00000000-0000-0000-0000-${String(row).padStart(12, '0')}`,
      environment: 'prod',
      tenant: 'default',
      deployment: 'bench',
      generation: 1,
      version: next() < 0.5 ? 'm@v1' : 'm@v2',
      variant: 'stable',
      unit: '',
      eventTimeMs: 1_700_000_000_000 + row,
      features,
      prediction: next() < 0.2 ? 'delayed' : 'on-time',
      score: next(),
      latencyMs: next() * 100,
      status: 'ok',
      segments: {},
      producer: `p${Math.floor(next() * 5)}`,
    }
  })
}

/** Counts by version, producer, feature and bin. */
type Counts = Map<string, number>

const names = { environments: ['prod'], tenants: ['default'], deployments: ['bench'], versions: ['m@v1', 'm@v2'] }
const layout = layoutOf(spec)

/** What the profiler makes once of the policies in force, without and with a rule that asks for duplicates. */
function compiled(ids: boolean) {
  const wanted = wantedOf({ ...names, specs: [spec], ids })
  const reader = topicReader('predictions', {}, ownRegistry, new Columns(wanted, 1))
  return { wanted, counter: counterOf(spec, wanted), reader }
}
const counting = compiled(false)
const sampling = compiled(true)

function ours(messages: readonly Message[], { wanted, counter, reader } = counting): Counts {
  const columns = new Columns(wanted, messages.length)
  messages.forEach((message, index) => {
    reader.read(message, columns, index)
  })
  const tally = new Tally<number>(counter)
  const samples = wanted.versions.words.map(() => new IdSample())
  for (let row = 0; row < columns.rows; row++) {
    const version = columns.version.codes[row]!
    tally.add(columns, row, version)
    if (columns.id !== null) samples[version]!.add(columns.id.numbers[row]!)
  }
  for (const sample of samples) sample.pack()
  const counts: Counts = new Map()
  for (const [version, slices] of tally.count(columns)) {
    for (const { value, vector } of slices) {
      for (const place of layout.features) {
        for (let bin = 0; bin < histogramWidth(place); bin++) {
          const count = vector[place.at + bin]!
          if (count > 0) counts.set(`${columns.version.table.words[version]} ${value} ${place.name} ${bin}`, count)
        }
      }
    }
  }
  return counts
}

const schema = avsc.Type.forSchema(ownRegistry.newest('prediction').json as avsc.Schema)
const wireHeaderBytes = 5

/** Without moments, latency, score and classes: less than what ours does. */
function naive(messages: readonly Message[]): Counts {
  const counts: Counts = new Map()
  for (const { value } of messages) {
    const event = schema.fromBuffer(Buffer.from(value.subarray(wireHeaderBytes))) as Prediction
    spec.features.forEach((feature, index) => {
      const { bins } = layout.features[index]!
      const given = event.features[feature.name] ?? null
      let bin: number
      if (feature.kind === 'categorical') bin = given === null ? bins + 1 : feature.vocabulary.indexOf(given as string)
      else if (given === null) bin = bins + 2
      else bin = binOf(feature.edges, given as number)
      if (bin < 0) bin = bins
      const key = `${event.version} ${event.producer} ${feature.name} ${bin}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    })
  }
  return counts
}

function binOf(edges: readonly number[], value: number): number {
  const bins = edges.length - 1
  if (value < edges[0]!) return bins
  if (value > edges[bins]!) return bins + 1
  let low = 0
  let high = bins - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (value >= edges[middle]!) low = middle
    else high = middle - 1
  }
  return low
}

function fingerprint(counts: Counts): string {
  return [...counts]
    .map(([key, count]) => `${key}=${count}`)
    .sort()
    .join('\n')
}
