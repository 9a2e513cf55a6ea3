import { type Hash, hashFields } from '@interlock/contracts'
import type { Landed, Seen } from './runs.ts'
import type { Accuse } from './violation.ts'

/** A sleep of a minute, five tries of an append and its late landing. */
const longestStepMs = 100_000

/**
 * S1: each shard log has one valid run, and every input is in it once. Ranges of an input follow each other without gap or
 * overlap, name what had landed, and end right behind a valid entry where the input is a shard log.
 */
export class ShardChecks {
  private readonly landed: Landed
  private readonly accuse: Accuse
  private readonly positions = new Map<string, bigint>()
  private readonly chains = new Map<string, Hash>()

  constructor(landed: Landed, accuse: Accuse) {
    this.landed = landed
    this.accuse = accuse
  }

  take(seen: Seen): void {
    const name = `${seen.processor}/${seen.shard}`
    for (const { topic, partition, from, to } of seen.entry.took) {
      const key = `${name} ${topic}/${partition}`
      const before = this.positions.get(key)
      const say = (text: string) => this.accuse('S1', name, `entry ${seen.offset}: ${topic}/${partition} ${text}`)
      if (before !== undefined && before !== from)
        say(`is taken from ${from}, and the entry before it ended at ${before}`)
      if (before === undefined && from !== 0n) say(`is taken from ${from} at first`)
      if (to < from) say(`is taken from ${from} back to ${to}`)
      this.positions.set(key, to)
      if (to === from) continue
      if (topic.startsWith('log.')) {
        const run = this.landed.run(topic.slice(4), partition)
        if (!run.isValid(to - 1n)) say(`is taken to ${to}, which is not right behind a valid entry`)
      } else if (to > BigInt(this.landed.of(topic, partition).length)) say(`is taken to ${to}, behind its end`)
    }
    this.checkChain(name, seen)
    if (seen.entry.caughtUp) this.checkCaughtUp(name, seen)
    const last = this.landed.run(seen.processor, seen.shard).entries.at(-2)
    if (last !== undefined && seen.at < last.at - 60_000)
      this.accuse('S1', name, `entry ${seen.offset} goes back in time`)
  }

  /** Who says that nothing was left behind must not leave behind what lay there for longer than any step can take. */
  private checkCaughtUp(name: string, { entry, offset, at }: Seen): void {
    for (const { topic, partition, to } of entry.took) {
      const left = topic.startsWith('log.')
        ? this.landed.run(topic.slice(4), partition).from(to)
        : this.landed.of(topic, partition)[Number(to)]
      if (left === undefined || at - left.at < longestStepMs) continue
      this.accuse(
        'S4',
        name,
        `entry ${offset} says that it has caught up, and ${topic}/${partition} ${to} is ${at - left.at} ms old`,
      )
    }
  }

  /** chain = H(chain before, took, caughtUp, time, outs): it says which time the step knew, too. */
  private checkChain(name: string, { entry, time, offset, processor, shard }: Seen): void {
    const before = this.chains.get(name) ?? hashFields('interlock chain', processor, shard)
    const ranges = entry.took.flatMap(({ topic, partition, from, to }) => [topic, partition, String(from), String(to)])
    const outs = entry.outs.flatMap(({ kind, key, value }) => [kind, key, value])
    const { took, caughtUp, chain } = entry
    const due = hashFields(before, took.length, ...ranges, caughtUp ? 1 : 0, time, entry.outs.length, ...outs)
    if (chain !== due) this.accuse('S7', name, `entry ${offset}: its chain is not that of what it says at time ${time}`)
    this.chains.set(name, chain)
  }

  /** Whether every input was taken to its end: asked when all is quiet. */
  lag(processor: string, shard: number): readonly string[] {
    const behind: string[] = []
    const last = this.landed.run(processor, shard).last
    for (const { topic, partition } of last?.entry.took ?? []) {
      const position = this.positions.get(`${processor}/${shard} ${topic}/${partition}`) ?? 0n
      const end = topic.startsWith('log.')
        ? (this.landed.run(topic.slice(4), partition).entries.at(-1)?.offset ?? -1n) + 1n
        : BigInt(this.landed.of(topic, partition).length)
      if (end > position) behind.push(`${topic}/${partition} is at ${position} of ${end}`)
    }
    return behind
  }
}
