import { type Fetched, fetchRequest } from './fetch.ts'
import type { KafkaClient } from './kafka-client.ts'
import { brokerError } from './kafkajs-internals.ts'
import type { PartitionReader } from './partition-reader.ts'

/** How long a broker holds a poll back while nothing comes. A partition that joins waits so long at most. */
const pollHeldMs = 100
const pollDeadlineMs = 4_500
/** A partition stays in the poll for so long after its last waiter, who mostly comes back: no wait for the next poll. */
const stayMs = 2_000
/** Between two polls, so that a stream of appends does not make a busy loop. */
const paceMs = 5
const afterErrorMs = 200
/** The broker sends at least one batch of one partition, however little is asked for; it is thrown away. */
const pollBytes = 1
const offsetOutOfRange = 1

interface Watch {
  readonly topic: string
  readonly partition: number
  /** Newest end that is known. */
  end: bigint
  stayUntil: number
  /** Whose poll it is in; null while its leader is looked for. */
  nodeId: number | null
  readonly waiters: Set<() => void>
}

/**
 * Tells who waits that a partition has grown: one poll a broker, over all partitions that somebody waits for or has
 * just waited for.
 */
export class EndWatcher {
  private readonly client: KafkaClient
  private readonly reader: PartitionReader
  private readonly watches = new Map<string, Watch>()
  private readonly polling = new Set<number>()
  private closed = false

  constructor(client: KafkaClient, reader: PartitionReader) {
    this.client = client
    this.reader = reader
  }

  /** The end, once it is past `from`, `ms` are over, or `signal` is aborted. */
  async wait(topic: string, partition: number, from: bigint, ms: number, signal?: AbortSignal): Promise<bigint> {
    const { clock } = this.client
    const far = this.reader.endFor(topic, partition, from)
    if (far !== null) return far
    const until = clock.monotonic() + ms
    const end = await this.reader.end(topic, partition)
    if (end > from || signal?.aborted || clock.monotonic() >= until || this.closed) return end
    const watch = this.watch(topic, partition, end)
    const enough = new AbortController()
    const wake = () => {
      if (watch.end > from || this.closed) enough.abort('enough')
    }
    watch.waiters.add(wake)
    await clock.sleep(until - clock.monotonic(), signal ? AbortSignal.any([enough.signal, signal]) : enough.signal)
    watch.waiters.delete(wake)
    watch.stayUntil = clock.monotonic() + stayMs
    return watch.end
  }

  close(): void {
    this.closed = true
    for (const { waiters } of this.watches.values()) for (const wake of [...waiters]) wake()
  }

  private watch(topic: string, partition: number, end: bigint): Watch {
    const key = `${topic}/${partition}`
    const known = this.watches.get(key)
    if (known) {
      // The broker just said so; what was known before may be an older leader's word.
      known.end = end
      return known
    }
    const stayUntil = this.client.clock.monotonic() + stayMs
    const watch: Watch = { topic, partition, end, stayUntil, nodeId: null, waiters: new Set() }
    this.watches.set(key, watch)
    void this.place(watch)
    return watch
  }

  /** Finds the watch's leader and joins its poll. */
  private async place(watch: Watch): Promise<void> {
    const { client } = this
    while (this.isLive(watch)) {
      try {
        const { topic, partition } = watch
        const deadline = client.clock.monotonic() + pollDeadlineMs
        const { nodeId } = await client.attempt(`waiting on ${topic}`, deadline, () => client.leader(topic, partition))
        watch.nodeId = nodeId
        return void this.poll(nodeId)
      } catch {
        // Who waits is answered when its time is up; the next read says what is wrong.
        await client.clock.sleep(afterErrorMs)
      }
    }
  }

  /** Polls one broker for as long as it leads anything that is watched. */
  private async poll(nodeId: number): Promise<void> {
    if (this.polling.has(nodeId)) return
    this.polling.add(nodeId)
    for (;;) {
      const led = [...this.watches.values()].filter((watch) => watch.nodeId === nodeId && this.isLive(watch))
      if (led.length === 0) break
      try {
        for (const [watch, fetched] of await this.fetch(led)) {
          if (fetched?.errorCode === 0) this.grow(watch, fetched.stable)
          else if (fetched?.errorCode === offsetOutOfRange) {
            this.grow(watch, await this.reader.end(watch.topic, watch.partition))
          } else this.displace(watch, fetched?.errorCode)
        }
      } catch {
        await this.client.clock.sleep(afterErrorMs)
        for (const watch of led) this.displace(watch)
      }
      await this.client.clock.sleep(paceMs)
    }
    this.polling.delete(nodeId)
  }

  private async fetch(led: readonly Watch[]): Promise<readonly (readonly [Watch, Fetched | undefined])[]> {
    const { client } = this
    const [first] = led as [Watch, ...Watch[]]
    const partitions = led.map(({ topic, partition, end }) => ({ topic, partition, offset: end }))
    const request = fetchRequest(partitions, { waitMs: pollHeldMs, maxBytes: pollBytes })
    const answers = await client.attempt('waiting', client.clock.monotonic() + pollDeadlineMs, async () => {
      const leader = await client.leader(first.topic, first.partition)
      return leader.send('poll', request)
    })
    const same = (a: Watch, b: Fetched) => a.topic === b.topic && a.partition === b.partition
    return led.map((watch) => [watch, answers.find((fetched) => same(watch, fetched))])
  }

  private grow(watch: Watch, end: bigint): void {
    watch.end = end
    for (const wake of [...watch.waiters]) wake()
  }

  private displace(watch: Watch, errorCode?: number): void {
    if (errorCode) this.client.heed(brokerError(errorCode), null, `waiting on ${watch.topic}`)
    watch.nodeId = null
    void this.place(watch)
  }

  /** Forgets what nobody waits for any more. */
  private isLive(watch: Watch): boolean {
    if (!this.closed && (watch.waiters.size > 0 || this.client.clock.monotonic() <= watch.stayUntil)) return true
    this.watches.delete(`${watch.topic}/${watch.partition}`)
    return false
  }
}
