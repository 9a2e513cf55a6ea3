import {
  encodeOut,
  type Hash,
  hashFields,
  type Input,
  type InputSource,
  type LogTime,
  type Out,
  type Processor,
  type Range,
  sha256,
  shardLog,
} from '@interlock/contracts'
import { collectAgain } from './collect.ts'
import type { EventLog } from './event-log.ts'
import { beginningOfLog, type ValidEntry } from './shard-reader.ts'

/** A shard right behind one of its valid entries. */
export interface Point<State> {
  readonly state: State
  /** Offset and append time of that entry. */
  readonly seq: bigint
  readonly at: LogTime
  /** Time of the step that made it. */
  readonly time: LogTime
  readonly chain: Hash
  /** Next offset of each input, by `sourceName`. */
  readonly positions: ReadonlyMap<string, bigint>
}

export const sourceName = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${topic}/${partition}`

/** A shard before its first entry. */
export function beginning<State>(processor: Processor<State>, shard: number): Point<State> {
  const chain = hashFields('interlock chain', processor.name, shard)
  return { state: processor.empty(shard), seq: beginningOfLog, at: 0, time: 0, chain, positions: new Map() }
}

/** A step that was made and is not yet known to be in the log. */
export interface Stepped<State> {
  readonly state: State
  readonly time: LogTime
  readonly outs: readonly Out[]
  readonly chain: Hash
  readonly positions: ReadonlyMap<string, bigint>
}

/**
 * The pure step and what the protocol adds to it. Time is the append time of the entry at `prev`, never less than the
 * step before. chain = H(chain of `prev` ‖ took ‖ caughtUp ‖ time ‖ outs), without owner, build and prev.
 */
export function stepFrom<State>(
  processor: Processor<State>,
  before: Point<State>,
  took: readonly Range[],
  batch: readonly Input[],
  caughtUp: boolean,
): Stepped<State> {
  const time = Math.max(before.time, before.at)
  const [state, anyOuts] = processor.step(before.state, batch, time, caughtUp)
  const outs = anyOuts.map(encodeOut)
  const positions = new Map(before.positions)
  for (const range of took) positions.set(sourceName(range), range.to)
  return { state, time, outs, chain: chainOf(before.chain, took, caughtUp, time, outs), positions }
}

export function chainOf(
  before: Hash,
  took: readonly Range[],
  caughtUp: boolean,
  time: LogTime,
  outs: readonly Out[],
): Hash {
  const ranges = took.flatMap(({ topic, partition, from, to }) => [topic, partition, String(from), String(to)])
  const values = outs.flatMap(({ kind, key, value }) => [kind, key, value])
  return hashFields(before, took.length, ...ranges, caughtUp ? 1 : 0, time, outs.length, ...values)
}

/** What re-execution found to differ from what the log says. */
export interface Difference {
  readonly offset: bigint
  readonly build: string
  readonly what: 'outs' | 'state' | 'chain'
  readonly detail: string
}

/**
 * Makes the step of a valid entry again, over the very ranges that it names, and compares. The log stays right about
 * what was put out: the chain goes on from the entry's own.
 *
 * @throws RangeGone when an input no longer holds what the entry took; Error when the entry contradicts the one before
 */
export async function reExecute<State>(
  log: EventLog,
  processor: Processor<State>,
  before: Point<State>,
  valid: ValidEntry,
  { prefix }: { readonly prefix?: string } = {},
): Promise<{ readonly next: Point<State>; readonly differences: readonly Difference[] }> {
  const { entry, offset, at } = valid
  const batch: Input[] = []
  for (const range of entry.took) {
    const position = before.positions.get(sourceName(range))
    if (position !== undefined && position !== range.from) {
      throw new Error(
        `entry ${offset} takes ${sourceName(range)} from ${range.from}, the one before ended at ${position}`,
      )
    }
    batch.push(...(await collectAgain(log, kindOf(range.topic, prefix), range)))
  }
  const made = stepFrom(processor, before, entry.took, batch, entry.caughtUp)
  const differences: Difference[] = []
  const differ = (what: Difference['what'], detail: string) =>
    differences.push({ offset, build: entry.build, what, detail })
  const itsChain = chainOf(before.chain, entry.took, entry.caughtUp, made.time, entry.outs)
  if (itsChain !== entry.chain) differ('chain', `the entry's content gives ${itsChain}, it says ${entry.chain}`)
  if (made.chain !== itsChain) differ('outs', differenceOfOuts(entry.outs, made.outs))
  if (entry.stateHash !== null) {
    const stateHash = sha256(processor.save(made.state))
    if (stateHash !== entry.stateHash) differ('state', `re-executed ${stateHash}, the entry says ${entry.stateHash}`)
  }
  return { next: { ...made, seq: offset, at, chain: entry.chain }, differences }
}

/** Shard logs are known by their name, so that an entry can be executed again whose input is configured no more. */
export function kindOf(topic: string, prefix = ''): InputSource['kind'] {
  return topic.startsWith(prefix + shardLog('')) ? 'log' : 'topic'
}

function differenceOfOuts(inLog: readonly Out[], made: readonly Out[]): string {
  const index = inLog.findIndex((out, at) => {
    const other = made[at]
    return !other || other.kind !== out.kind || other.key !== out.key || Buffer.compare(other.value, out.value) !== 0
  })
  const show = (out: Out | undefined) =>
    out ? `${out.kind} of ${out.key} (${sha256(out.value).slice(0, 12)})` : 'none'
  const at = index < 0 ? inLog.length : index
  return `out ${at}: the log has ${show(inLog[at])}, re-execution made ${show(made[at])}; ${inLog.length} against ${made.length} outs`
}
