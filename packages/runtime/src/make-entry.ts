import { type Entry, encodeEntry, type Hash, sha256 } from '@interlock/contracts'
import { halve, type Offer } from './collect.ts'
import { type Point, type Stepped, sourceName, stepFrom } from './re-execute.ts'
import { shardLimits } from './shard-limits.ts'
import { type ShardOptions, ShardStopped } from './shard-options.ts'

/**
 * The pure step and its entry. While the outs do not fit into one entry, the batch is halved and the step made again
 * from the same state: what is left is then not caught up.
 *
 * @param withState also give the state's bytes, and their hash in the entry: a snapshot follows
 * @throws ShardStopped when a single record or entry makes more outs than fit
 */
export function makeEntry<State>(
  { processor, shard, build }: ShardOptions<State>,
  before: Point<State>,
  owner: string,
  offers: readonly Offer[],
  drained: boolean,
  withState: boolean,
): {
  readonly made: Stepped<State>
  readonly entry: Entry
  readonly bytes: Uint8Array
  readonly state: Uint8Array | null
} {
  const limit = shardLimits.maxOutBytes
  for (let some = offers, caughtUp = drained; ; caughtUp = false) {
    const took = some.map(({ source, from, to }) => ({ topic: source.topic, partition: source.partition, from, to }))
    const batch = some.flatMap((offer) => offer.units.flatMap((unit) => unit.inputs))
    const made = stepFrom(processor, before, took, batch, caughtUp)
    const size = made.outs.reduce((sum, out) => sum + out.value.length + out.key.length + out.kind.length + 16, 0)
    if (size <= limit) {
      const state = withState ? processor.save(made.state) : null
      const stateHash: Hash | null = state ? sha256(state) : null
      const { outs, chain } = made
      const entry = { v: 1, prev: before.seq, owner, build, took, caughtUp, outs, chain, stateHash } as const
      return { made, entry, bytes: encodeEntry(entry), state }
    }
    const smaller = halve(some)
    if (!smaller) {
      const at = took.map((range) => `${sourceName(range)} ${range.from} to ${range.to}`).join(', ')
      throw new ShardStopped(
        `${processor.name}/${shard}: one input makes ${size} bytes of outs, at most ${limit} fit: ${at}`,
      )
    }
    some = smaller
  }
}
