import type { LogRecord } from '@interlock/contracts'
import { maxRecords } from './parts.ts'
import type { Seen } from './runs.ts'
import type { Accuse } from './violation.ts'
import type { World } from './world.ts'

/**
 * What may wait or be remembered at most, in a world of three deployments with up to nine versions each. One and a half to three times
 * what runs with every fault reach, and far below what a run leaves behind when something is never forgotten.
 */
export const mostBytesOfState: Readonly<Record<string, number>> = {
  profiler: 32_768,
  evaluator: 163_840,
  governor: 163_840,
  fleet: 8_192,
}
/** Reads that wait on one partition: each reader of it once, and what zombies left. */
const mostWaiters = 40
/** Timers and answers that are on their way in the whole world. */
const mostScheduled = 1_500
/** Public outs of all shards that nobody has published yet: minutes without a publisher. */
const mostUnpublished = 1_500
/** Alerts under way at once: 32 a partition. */
const mostPages = 64

/**
 * S13: state and queues are bounded. Each snapshot's bytes and each step's records as they land, waiting readers, timers,
 * publications and pages each few seconds.
 */
export class BoundChecks {
  /** The most that was seen of each. */
  readonly most = new Map<string, number>()
  private readonly accuse: Accuse
  private readonly states = new Map<string, number>()

  constructor(accuse: Accuse) {
    this.accuse = accuse
  }

  /** A part of a snapshot, under `processor/shard/seq/part`. */
  snapshot({ key, value }: LogRecord): void {
    const [processor, shard, seq, part] = Buffer.from(key ?? [])
      .toString()
      .split('/') as [string, string, string, string]
    if (value === null || part === 'head') return
    const name = `${processor}/${shard}`
    const place = `${name}/${seq}`
    // Two owners may write the parts of one snapshot; what counts is its size, not how often it was sent.
    const bytes = (part === '0' ? 0 : (this.states.get(place) ?? 0)) + value.length
    this.states.set(place, bytes)
    this.note(`state of ${processor}`, name, bytes, mostBytesOfState[processor] ?? 0)
  }

  step({ processor, shard, entry }: Seen): void {
    for (const { topic, from, to } of entry.took) {
      if (topic.startsWith('log.')) continue
      this.note(`records of ${topic} in a step`, `${processor}/${shard}`, Number(to - from), maxRecords)
    }
  }

  sample(world: World): void {
    for (const { topic, index, waiters } of world.servers.all())
      this.note('waiting readers', `${topic}/${index}`, waiters.size, mostWaiters)
    this.note('scheduled', 'world', world.simulation.scheduledNow, mostScheduled)
    this.note('unpublished', 'publishers', world.publics.unpublished, mostUnpublished)
    this.note('pages under way', 'notifier', world.sink.underWay, mostPages)
  }

  private note(what: string, about: string, count: number, most: number): void {
    this.most.set(what, Math.max(this.most.get(what) ?? 0, count))
    if (count > most) this.accuse('S13', about, `${what}: ${count}, and ${most} is the bound`)
  }
}
