import { addPacked, canonicalJson, packCounts, type WatchOut } from '@interlock/contracts'
import { type OpenPane, sumPacked } from './panes.ts'
import { type Methods, planOf } from './plan.ts'
import type { Evaluated, Watched } from './state.ts'

/** Raised whenever the shape of the state, or what a detector keeps in it, changes. */
export const stateVersion = 3

/** Canonical bytes: equal sums give equal bytes, whatever parts they came in. Plans are left out: they follow from watches. */
export function saveEvaluated(state: Evaluated): Uint8Array {
  const deployments = new Map([...state.deployments].map(([id, watched]) => [id, strip(watched)]))
  return new TextEncoder().encode(canonicalJson(pack({ ...state, deployments })))
}

/** @throws Error when the bytes are of another version, or of another number of profiler shards. */
export function loadEvaluated(
  bytes: Uint8Array,
  version: number,
  { profilerShards, methods }: { readonly profilerShards: number; readonly methods: Methods },
): Evaluated {
  if (version !== stateVersion) {
    throw new Error(
      `evaluator: a snapshot of version ${version} cannot be read by this build, which knows version ${stateVersion}. ` +
        'Start the build that wrote it, or remove the snapshot so that the state is rebuilt from the log.',
    )
  }
  const state = unpack(JSON.parse(new TextDecoder().decode(bytes))) as Evaluated
  if (state.profilers.length !== profilerShards) {
    throw new Error(
      `evaluator: the snapshot knows ${state.profilers.length} profiler shards, the configuration says ${profilerShards}. ` +
        'The number of shards is fixed when the topics are created: correct the configuration.',
    )
  }
  const deployments = new Map(
    [...state.deployments].map(([id, watched]) => [id, { ...watched, plan: planFor(watched.watch, methods) }]),
  )
  return { ...state, deployments }
}

function planFor(watch: WatchOut | null, methods: Methods): Watched['plan'] {
  return watch === null ? null : planOf(watch, methods)
}

function strip(watched: Watched): Watched {
  return { ...watched, plan: null, panes: new Map([...watched.panes].map(([start, pane]) => [start, canonical(pane)])) }
}

function canonical(pane: OpenPane): OpenPane {
  let bytes = 0
  const cells = [...pane.cells].map(([key, cell]) => {
    const slices = [...cell.slices].map(([name, packs]) => {
      const sum = sumPacked(packs)
      bytes += sum.length
      return [name, [sum]] as const
    })
    return [key, { ...cell, slices: new Map(slices) }] as const
  })
  return { cells: new Map(cells), spans: pane.spans, bytes }
}

/** What JSON has no form for, under a key that no value of ours has: maps (sorted by key), bytes, counts, offsets. */
function pack(value: unknown): unknown {
  if (typeof value === 'bigint') return { $offset: value.toString() }
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (value instanceof Float64Array) {
    return { $counts: Buffer.from(packCounts(value)).toString('base64'), width: value.length }
  }
  if (value instanceof Map) {
    const entries = [...value].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return { $map: entries.map(([key, held]) => [key, pack(held)]) }
  }
  if (Array.isArray(value)) return value.map(pack)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, held]) => held !== undefined)
  const packed = fields.map(([key, held]) => [key, pack(held)] as const)
  // A key of a customer's document may look like one of ours: such an object is written as a list of its fields.
  if (fields.some(([key]) => key.startsWith('$') || key === '__proto__')) return { $fields: packed }
  return Object.fromEntries(packed)
}

function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack)
  if (typeof value !== 'object' || value === null) return value
  const fields = value as Record<string, unknown>
  if (fields.$offset !== undefined) return BigInt(fields.$offset as string)
  if (fields.$bytes !== undefined) return Uint8Array.from(Buffer.from(fields.$bytes as string, 'base64'))
  if (fields.$counts !== undefined) {
    const counts = new Float64Array(fields.width as number)
    addPacked(Buffer.from(fields.$counts as string, 'base64'), counts)
    return counts
  }
  if (fields.$map !== undefined) {
    return new Map((fields.$map as [string | number, unknown][]).map(([key, held]) => [key, unpack(held)]))
  }
  const entries = (fields.$fields as [string, unknown][] | undefined) ?? Object.entries(fields)
  return Object.fromEntries(entries.map(([key, held]) => [key, unpack(held)]))
}
