import {
  type AnyOut,
  addPacked,
  type BaselineDocument,
  contentHash,
  contentTypes,
  type Input,
  type LogRecord,
  layoutOf,
  type Policy,
  type Processor,
  topics,
  type WatchOut,
} from '@interlock/contracts'
import type { Subject } from '../faults/fault.ts'
import { type Injection, inject } from '../faults/inject.ts'
import { messagesOf } from '../messages.ts'
import type { Row } from '../row.ts'
import type { Traffic } from '../traffic/traffic.ts'
import type { Cast } from '../world/cast.ts'
import { documentOf } from '../world/cast.ts'
import { deployment, startMs } from '../world/place.ts'

/** Counts of a sample of requests: as a whole, and by slice. */
export interface SampleCounts {
  readonly whole: Float64Array
  readonly slices: ReadonlyMap<string, Float64Array>
}

/** A sample of traffic as both versions answer it, with a fault and without. */
export interface Sample {
  readonly requests: number
  readonly healthy: SampleCounts
  readonly harmedStable: SampleCounts
  readonly harmedCandidate: SampleCounts
}

/** Requests of a sample: 1 % of them are known to 6 %. */
const sampleRequests = 30_000
/** All rows of a sample fall into one pane. */
const samplePaneMs = 10 * 86_400_000

/** Key of a slice in `SampleCounts`. */
export function sliceKey(dimension: string, value: string): string {
  return `${dimension} ${value}`
}

/** Counts a sample by the real profiler: every request answered by both versions, with the fault fully there. */
export function sampleOf(
  profiler: Processor<unknown>,
  {
    cast,
    baseline,
    policy,
    traffic,
    injection,
    subject,
    seed,
  }: {
    readonly cast: Cast
    readonly baseline: BaselineDocument
    readonly policy: Policy
    readonly traffic: Traffic
    readonly injection: Injection
    readonly subject: Subject
    readonly seed: number
  },
): Sample {
  const spanMs = Math.ceil((sampleRequests / traffic.rowsPerHour) * 3_600_000)
  const requests = traffic.between(0, spanMs)
  const full: Injection = { ...injection, rampMs: 0 }
  const answered = (variant: 'stable' | 'candidate', isHarmed: boolean): readonly Row[] => {
    const version = variant === 'stable' ? cast.stable.version : cast.candidate.version
    return requests.flatMap((request, number) => {
      const row: Row = { ...request, generation: 1, version, variant, eventTimeMs: startMs }
      return isHarmed ? inject(full, subject, row, { seed, number, sinceMs: 0 }) : row
    })
  }
  const count = (rows: readonly Row[]): SampleCounts => counted(profiler, watchOf(cast, baseline, policy), rows)
  const healthy = count(answered('stable', false))
  return {
    requests: requests.length,
    healthy,
    harmedStable: injection.where === 'candidate' ? healthy : count(answered('stable', true)),
    harmedCandidate: count(answered('candidate', true)),
  }
}

function watchOf(cast: Cast, baseline: BaselineDocument, policy: Policy): WatchOut {
  return {
    kind: 'watch',
    deployment,
    document: documentOf(baseline, policy),
    generation: 1,
    ...{ stable: cast.stable.version, candidate: cast.candidate.version },
    ...{ spec: baseline.spec, specHash: baseline.specHash, policyHash: contentHash(policy), baselines: [], from: 0 },
    policy: { ...policy, times: { ...policy.times, paneMs: samplePaneMs } },
  }
}

function counted(profiler: Processor<unknown>, watch: WatchOut, rows: readonly Row[]): SampleCounts {
  const place = { processor: 'governor', shard: 0, offset: 0n, at: startMs } as const
  const inputs: Input[] = [{ kind: 'out', ...place, out: watch }]
  const plain = { topic: topics.predictions, partition: 0, at: startMs, key: null }
  const headers = { 'content-type': contentTypes.json }
  for (const [index, value] of messagesOf(rows).entries()) {
    const record: LogRecord = { ...plain, offset: BigInt(index), value, headers }
    inputs.push({ kind: 'record', record })
  }
  const [, outs] = profiler.step(profiler.empty(0), inputs, startMs, true)
  return sumOf(outs, layoutOf(watch.spec).width)
}

function sumOf(outs: readonly AnyOut[], width: number): SampleCounts {
  const whole = new Float64Array(width)
  const slices = new Map<string, Float64Array>()
  for (const out of outs) {
    if (out.kind !== 'counts') continue
    for (const { dimension, value, counts } of out.slices) {
      const key = sliceKey(dimension, value)
      const sum = slices.get(key) ?? new Float64Array(width)
      slices.set(key, sum)
      addPacked(counts, sum)
      if (dimension === 'producer') addPacked(counts, whole)
    }
  }
  return { whole, slices }
}
