/** A watch and records for tests only; no product code imports this. */
import {
  type CountSpec,
  contentHash,
  contentTypes,
  type DeploymentDocument,
  encodeEventAvro,
  encodeEventJson,
  type Input,
  type LogRecord,
  type Policy,
  type Prediction,
  type WatchOut,
} from '@interlock/contracts'

export const now = 1_700_000_000_000

export const sampleSpec: CountSpec = {
  v: 1,
  features: [
    { kind: 'numeric', name: 'distance', edges: [0, 100, 500, 1000, 2000], scale: 1 },
    { kind: 'categorical', name: 'origin', vocabulary: ['ATL', 'ORD'] },
  ],
  latencyEdgesMs: [0, 5, 10, 50, 1000],
  scoreEdges: [0, 0.25, 0.5, 0.75, 1],
  classes: ['delayed', 'on-time'],
  segments: [{ name: 'airport', values: ['ATL', 'ORD'] }],
  producers: ['east', 'west'],
}

type Changes = Partial<Omit<WatchOut, 'deployment' | 'document'>> & {
  readonly deployment?: string
  readonly document?: Partial<DeploymentDocument>
}

export function watchOf({ document = {}, ...changes }: Changes = {}): WatchOut {
  const spec = changes.spec ?? sampleSpec
  const deployment = (changes.deployment ?? 'flight-delay') as WatchOut['deployment']
  return {
    kind: 'watch',
    generation: 1,
    stable: 'm@v1' as WatchOut['stable'],
    candidate: null,
    policyHash: contentHash('policy'),
    policy: {
      times: { paneMs: 10_000, latenessMs: 10_000, stallTimeoutMs: 15_000 },
      guardrails: [] as const,
    } as unknown as Policy,
    baselines: [],
    from: now - 60_000,
    ...changes,
    deployment,
    spec,
    specHash: changes.specHash ?? contentHash(spec),
    document: {
      kind: 'deployment',
      deployment,
      environment: 'prod',
      tenant: 'acme',
      topics: { predictions: 'predictions', features: 'features', outcomes: 'outcomes' },
      mapping: {},
      ...document,
    } as DeploymentDocument,
  }
}

export function watchInput(out: WatchOut): Input {
  return { kind: 'out', processor: 'governor', shard: 0, offset: 0n, at: now, out }
}

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
    eventTimeMs: now,
    features: { distance: 250, origin: 'ORD' },
    prediction: 'on-time',
    score: 0.3,
    latencyMs: 7,
    status: 'ok',
    segments: { airport: 'ORD' },
    producer: 'east',
    ...changes,
  }
}

export function recordOf(value: Uint8Array | null, changes: Partial<LogRecord> = {}): Input {
  const record = { topic: 'predictions', partition: 0, offset: 0n, at: now, key: null, value, headers: {}, ...changes }
  return { kind: 'record', record }
}

/** One event as Avro; `offset` and so on in `changes`. */
export function eventInput(event: Prediction, changes: Partial<LogRecord> = {}): Input {
  return recordOf(encodeEventAvro('prediction', event), { headers: { 'content-type': contentTypes.avro }, ...changes })
}

export function jsonInput(events: readonly Prediction[], changes: Partial<LogRecord> = {}): Input {
  return recordOf(encodeEventJson(events), changes)
}
