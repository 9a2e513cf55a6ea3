import {
  type AnyOut,
  type CountsOut,
  canonicalJson,
  decodeOut,
  type EvidenceOut,
  encodeOut,
  type Input,
  layoutOf,
  type Processor,
  packCounts,
  shardOf,
} from '@interlock/contracts'
import { spec } from './cast.ts'
import { deploymentShards, processor } from './parts.ts'
import { addSlices } from './recount.ts'
import type { Landed, Seen } from './runs.ts'
import type { Accuse } from './violation.ts'

const { width } = layoutOf(spec)

/**
 * S4, metamorphic: the evidence of a run is what a fresh evaluator says when it gets the same counts otherwise cut: of each pane only
 * one sum for each place, in the very step that closed it. Evidence then depends on sums alone, and not on batches, order of
 * arrival, snapshots or owners.
 */
export function checkEvidenceBySums(landed: Landed, accuse: Accuse): number {
  let compared = 0
  for (let shard = 0; shard < deploymentShards; shard++) {
    processor('evaluator', (made) => {
      compared += replayShard(made, shard, landed, accuse)
    })
  }
  return compared
}

function replayShard<State>(made: Processor<State>, shard: number, landed: Landed, accuse: Accuse): number {
  let state = made.empty(shard)
  let compared = 0
  /** Counts that wait for their pane to close, by deployment and pane. */
  const waiting = new Map<string, Map<number, CountsOut[]>>()
  const closed = new Map<string, number>()
  for (const seen of landed.run('evaluator', shard).entries) {
    const evidence = seen.outs.filter((out): out is EvidenceOut => out.kind === 'evidence')
    const batch: Input[] = []
    for (const { out, from } of landed.outsTaken(seen)) {
      if (out.kind !== 'counts') batch.push(inputOf(out, from))
      else if (shardOf(out.deployment, deploymentShards) === shard) {
        // What is late already is said at once: it must go where late rows go.
        if (out.pane <= (closed.get(out.deployment) ?? Number.NEGATIVE_INFINITY)) batch.push(inputOf(out, from))
        else {
          const panes = waiting.get(out.deployment) ?? new Map<number, CountsOut[]>()
          waiting.set(out.deployment, panes)
          panes.set(out.pane, [...(panes.get(out.pane) ?? []), out])
        }
      }
    }
    for (const { deployment, pane } of evidence) {
      closed.set(deployment, pane)
      const panes = waiting.get(deployment)
      for (const start of [...(panes?.keys() ?? [])].filter((each) => each <= pane)) {
        for (const out of merged(panes!.get(start)!)) batch.push(inputOf(out, seen))
        panes!.delete(start)
      }
    }
    const [next, outs] = made.step(state, batch, seen.time, seen.entry.caughtUp)
    state = next
    const again = outs.filter((out) => out.kind === 'evidence').map((out) => decodeOut(encodeOut(out)) as EvidenceOut)
    compared += evidence.length
    if (again.length !== evidence.length) {
      accuse(
        'S4',
        `evaluator/${shard}`,
        `entry ${seen.offset} closes ${evidence.length} panes, and from sums ${again.length}`,
      )
      return compared
    }
    for (const [index, out] of evidence.entries()) {
      if (again[index]!.hash === out.hash) continue
      accuse(
        'S4',
        out.deployment,
        `evidence of pane ${out.pane} is not that of its sums: ${difference(out, again[index]!)}`,
      )
      return compared
    }
  }
  return compared
}

function difference(one: EvidenceOut, other: EvidenceOut): string {
  for (const key of Object.keys(one) as (keyof EvidenceOut)[]) {
    const [a, b] = [canonicalJson(one[key]), canonicalJson(other[key])]
    if (a !== b) return `${key}: ${a.slice(0, 600)} against ${b.slice(0, 600)}`
  }
  return 'its hash'
}

function merged(outs: readonly CountsOut[]): readonly CountsOut[] {
  const places = new Map<string, CountsOut[]>()
  for (const out of outs) {
    const key = [out.generation, out.version, out.variant, out.spec].join(' ')
    places.set(key, [...(places.get(key) ?? []), out])
  }
  return [...places.values()].map((same) => {
    const sums = new Map<string, Float64Array>()
    for (const { slices } of same) addSlices(sums, width, slices)
    const slices = [...sums].map(([name, sum]) => {
      const [dimension, value] = name.split('=') as [string, string]
      return { dimension, value, counts: packCounts(sum) }
    })
    return { ...same[0]!, rows: same.reduce((sum, { rows }) => sum + rows, 0), slices }
  })
}

function inputOf(out: AnyOut, from: Seen): Input {
  return { kind: 'out', processor: from.processor, shard: from.shard, offset: from.offset, at: from.at, out }
}
