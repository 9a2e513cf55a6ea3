import type { LogRecord } from '@interlock/contracts'
import type { Appended, AppendRecord, EventLog } from '@interlock/runtime'
import type { VirtualClock } from './virtual-clock.ts'

/** Carries the virtual time at which a record was appended; readers see it as the record's own time. */
const timeHeader = 'equality-at'
/** Of the real log; the wait ends sooner by the virtual clock. */
const waitMs = 30_000

export interface TimedLog extends EventLog {
  /** Whether anything is under way, or a reader has not yet seen what was appended. */
  isBusy(): boolean
}

/**
 * A real log on which append times are those of a virtual clock, so that the same input can be played on several logs at
 * the very same times. Partitions, offsets, batches, waiting and all else are the log's own.
 */
export function timedLog(log: EventLog, clock: VirtualClock): TimedLog {
  let underWay = 0
  const ends = new Map<string, bigint>()
  const waiting = new Set<{ readonly name: string; readonly from: bigint }>()
  const busy = async <T>(work: Promise<T>): Promise<T> => {
    underWay += 1
    try {
      return await work
    } finally {
      underWay -= 1
    }
  }
  const timed = (record: AppendRecord, at: number): AppendRecord => ({
    ...record,
    headers: { ...record.headers, [timeHeader]: String(at) },
  })
  const landed = (topic: string, partition: number, count: number, at: number, answer: Appended | 'unknown') => {
    if (answer === 'unknown') throw new Error(`${topic}/${partition}: an append without an answer; play again`)
    ends.set(`${topic}/${partition}`, answer.offset + BigInt(count))
    return { offset: answer.offset, at }
  }
  return {
    createTopic: (topic, options) => busy(log.createTopic(topic, options)),
    partitions: (topic) => busy(log.partitions(topic)),
    bounds: (topic, partition) => busy(log.bounds(topic, partition)),
    async *read(range) {
      const pages = log.read(range)[Symbol.asyncIterator]()
      for (;;) {
        const page = await busy(pages.next())
        if (page.done) return
        yield { ...page.value, topic: range.topic, partition: range.partition, records: page.value.records.map(seen) }
      }
    },
    async wait(topic, partition, from, ms, signal) {
      if (ms <= 0) return busy(log.wait(topic, partition, from, 0, signal))
      const one = { name: `${topic}/${partition}`, from }
      waiting.add(one)
      const over = new AbortController()
      const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal])
      try {
        const inner = log.wait(topic, partition, from, waitMs, either)
        const end = await Promise.race([inner, clock.sleep(ms, either).then(() => null)])
        return end ?? (await busy(log.wait(topic, partition, from, 0)))
      } finally {
        // With a reason: without one each abort makes an exception with a stack.
        over.abort('over')
        waiting.delete(one)
      }
    },
    async append(topic, partition, record) {
      const at = clock.now()
      return landed(topic, partition, 1, at, await busy(log.append(topic, partition, timed(record, at))))
    },
    async appendMany(topic, partition, records) {
      const at = clock.now()
      const all = records.map((record) => timed(record, at))
      return landed(topic, partition, records.length, at, await busy(log.appendMany(topic, partition, all)))
    },
    close: () => log.close(),
    isBusy: () => underWay > 0 || [...waiting].some(({ name, from }) => (ends.get(name) ?? 0n) > from),
  }
}

function seen({ topic, partition, offset, key, value, headers }: LogRecord): LogRecord {
  const { [timeHeader]: at, ...others } = headers
  return { topic, partition, offset, at: Number(at), key, value, headers: others }
}
