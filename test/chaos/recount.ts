import {
  addPacked,
  type CountSpec,
  type CountsOut,
  type DeadLetterOut,
  type DeploymentId,
  decodeOut,
  type Hash,
  type Input,
  type LogRecord,
  layoutOf,
  packCounts,
  shardLog,
  type WatchOut,
} from '@interlock/contracts'
import { createProfiler } from '@interlock/profiler'
import { beginningOfLog, type EventLog, validEntries } from '@interlock/runtime'

/** Records of one pure step of the recount; any number gives the same sums. */
const recordsInStep = 500

/** Rows of one version in one pane, with the exact sum of its counts by slice. */
export interface CountedCell {
  readonly of: Omit<CountsOut, 'slices' | 'rows' | 'span'>
  rows: number
  readonly slices: Map<string, Float64Array>
}

/** What was counted and what was not, whatever the steps and shards were. */
export interface Counted {
  readonly cells: Map<string, CountedCell>
  /** Dead letters as `topic/partition/offset/row reason`. */
  readonly dead: string[]
  taken: number
}

export interface Watched {
  readonly shard: number
  readonly offset: bigint
  readonly at: number
  readonly watch: WatchOut
}

/** Everything that the governor ever said is to be watched, in the order of each shard's log. */
export async function watchesOf(log: EventLog): Promise<readonly Watched[]> {
  const found: Watched[] = []
  for await (const { shard, offset, at, outs } of entriesOf(log, 'governor')) {
    for (const out of outs) if (out.kind === 'watch') found.push({ shard, offset, at, watch: out })
  }
  return found
}

/** What the profiler's valid entries say. */
export async function countedInLog(log: EventLog, watches: readonly Watched[]): Promise<Counted> {
  const counted = emptyCounted()
  const specs = specsOf(watches)
  for await (const { outs } of entriesOf(log, 'profiler')) {
    for (const out of outs) add(counted, specs, out)
  }
  return counted
}

/**
 * The same from the raw events, by the pure code alone, a partition at a time: other steps, and nobody who dies. A watch is
 * told before the first record that was appended after it.
 */
export async function countedAgain(log: EventLog, topic: string, watches: readonly Watched[]): Promise<Counted> {
  const counted = emptyCounted()
  const specs = specsOf(watches)
  const inTime = watches.toSorted((a, b) => a.at - b.at)
  const partitions = await log.partitions(topic)
  for (let partition = 0; partition < partitions; partition++) {
    const profiler = createProfiler()
    let state = profiler.empty(partition)
    let batch: Input[] = []
    let told = 0
    const step = (): void => {
      const [next, outs] = profiler.step(state, batch, 0, false)
      state = next
      batch = []
      for (const out of outs) add(counted, specs, out)
    }
    for await (const record of recordsOf(log, topic, partition)) {
      for (; told < inTime.length && inTime[told]!.at <= record.at; told++) {
        const { shard, offset, at, watch } = inTime[told]!
        batch.push({ kind: 'out', processor: 'governor', shard, offset, at, out: watch })
      }
      batch.push({ kind: 'record', record })
      if (batch.length >= recordsInStep) step()
    }
    step()
  }
  return counted
}

/** One line for each cell, slice or dead letter in which the two differ. Empty: every byte is equal. */
export function differences(inLog: Counted, again: Counted): readonly string[] {
  const found: string[] = []
  if (inLog.taken !== again.taken) found.push(`${inLog.taken} rows taken, ${again.taken} are in the input`)
  for (const key of new Set([...inLog.cells.keys(), ...again.cells.keys()])) {
    const [one, other] = [inLog.cells.get(key), again.cells.get(key)]
    if (one?.rows !== other?.rows) found.push(`${key}: ${one?.rows ?? 'no'} rows counted, ${other?.rows ?? 'no'} again`)
    for (const slice of new Set([...(one?.slices.keys() ?? []), ...(other?.slices.keys() ?? [])])) {
      const [a, b] = [one, other].map((cell) => packCounts(cell?.slices.get(slice) ?? []))
      if (Buffer.compare(a!, b!) !== 0) found.push(`${key} ${slice}: the counts differ`)
    }
  }
  const [dead, deadAgain] = [inLog.dead.toSorted(), again.dead.toSorted()]
  for (let at = 0; at < Math.max(dead.length, deadAgain.length); at++) {
    if (dead[at] === deadAgain[at]) continue
    found.push(`dead letters: ${dead[at] ?? 'none'} and again ${deadAgain[at] ?? 'none'}`)
    break
  }
  return found
}

/** The counts of a pane as one profiler shard would put them out. */
export function countsOfPane(counted: Counted): ReadonlyMap<string, readonly CountsOut[]> {
  const panes = new Map<string, CountsOut[]>()
  for (const [, { of, rows, slices }] of [...counted.cells].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const outs = panes.get(paneKey(of.deployment, of.pane)) ?? []
    panes.set(paneKey(of.deployment, of.pane), outs)
    const packed = [...slices]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, counts]) => {
        const [dimension, value] = name.split('\0') as [string, string]
        return { dimension, value, counts: packCounts(counts) }
      })
    outs.push({ ...of, rows, slices: packed, span: { topic: '', partition: 0, from: 0n, to: 0n } })
  }
  return panes
}

export const paneKey = (deployment: DeploymentId, pane: number): string => `${deployment} ${pane}`

/** Valid entries of all shards of a processor, shard after shard, with their outs. */
export async function* entriesOf(log: EventLog, processor: string) {
  const topic = shardLog(processor)
  const shards = await log.partitions(topic)
  for (let shard = 0; shard < shards; shard++) {
    const { end } = await log.bounds(topic, shard)
    for await (const { offset, at, entry } of validEntries(log, { topic, partition: shard }, beginningOfLog, end)) {
      yield { shard, offset, at, entry, outs: entry.outs.map(decodeOut) }
    }
  }
}

export async function* recordsOf(log: EventLog, topic: string, partition: number): AsyncGenerator<LogRecord> {
  const { begin, end } = await log.bounds(topic, partition)
  for await (const { records } of log.read({ topic, partition, from: begin, to: end })) yield* records
}

function emptyCounted(): Counted {
  return { cells: new Map(), dead: [], taken: 0 }
}

type Specs = ReadonlyMap<Hash, CountSpec>

function specsOf(watches: readonly Watched[]): Specs {
  return new Map(watches.map(({ watch }) => [watch.specHash, watch.spec]))
}

function add(counted: Counted, specs: Specs, out: ReturnType<typeof decodeOut>): void {
  if (out.kind === 'progress') counted.taken += out.taken
  if (out.kind === 'dead-letter') counted.dead.push(deadKey(out))
  if (out.kind !== 'counts') return
  const { slices, rows, span: _, ...of } = out
  const { deployment, generation, version, variant, pane, spec } = of
  const key = [deployment, generation, version, variant, pane, spec.slice(0, 8)].join(' ')
  const cell = counted.cells.get(key) ?? { of, rows: 0, slices: new Map<string, Float64Array>() }
  counted.cells.set(key, cell)
  cell.rows += rows
  const known = specs.get(spec)
  if (known === undefined) throw new Error(`counts under spec ${spec}, which no watch names`)
  const { width } = layoutOf(known)
  for (const { dimension, value, counts } of slices) {
    const name = `${dimension}\0${value}`
    const sum = cell.slices.get(name) ?? new Float64Array(width)
    cell.slices.set(name, sum)
    addPacked(counts, sum)
  }
}

function deadKey({ topic, partition, offset, row, reason }: DeadLetterOut): string {
  return `${topic}/${partition}/${offset}/${row} ${reason}`
}
