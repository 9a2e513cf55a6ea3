import { type Clock, DeadlineExceeded, within } from './clock.ts'
import type { EventLog } from './event-log.ts'

/** Longest that any await on a log may take (docs/reliability.md, "Unknown"). */
export const logDeadlineMs = 5_000

/**
 * The same log, where every await has a deadline of ours: a client that hangs is worse than one that fails. An append
 * past it is `'unknown'`; everything else throws `DeadlineExceeded`.
 */
export function withDeadlines(log: EventLog, clock: Clock, ms: number = logDeadlineMs): EventLog {
  const bound = <T>(what: string, work: Promise<T>, extraMs = 0) => within(clock, ms + extraMs, what, work)
  const orUnknown = async <T>(what: string, work: Promise<T | 'unknown'>) => {
    try {
      return await bound(what, work)
    } catch (error) {
      if (error instanceof DeadlineExceeded) return 'unknown'
      throw error
    }
  }
  return {
    createTopic: (topic, options) => bound(`creating ${topic}`, log.createTopic(topic, options)),
    partitions: (topic) => bound(`partitions of ${topic}`, log.partitions(topic)),
    bounds: (topic, partition) => bound(`bounds of ${topic}/${partition}`, log.bounds(topic, partition)),
    async *read(range) {
      const pages = log.read(range)[Symbol.asyncIterator]()
      try {
        for (;;) {
          const page = await bound(`reading ${range.topic}/${range.partition} from ${range.from}`, pages.next())
          if (page.done) return
          yield page.value
        }
      } finally {
        // Not awaited: a page that hangs would hold the reader, which has been told already.
        pages.return?.()?.catch(() => {})
      }
    },
    wait: (topic, partition, from, waitMs, signal) =>
      bound(`waiting on ${topic}/${partition}`, log.wait(topic, partition, from, waitMs, signal), waitMs),
    append: (topic, partition, record) =>
      orUnknown(`appending to ${topic}/${partition}`, log.append(topic, partition, record)),
    appendMany: (topic, partition, records) =>
      orUnknown(`appending to ${topic}/${partition}`, log.appendMany(topic, partition, records)),
    close: () => log.close(),
  }
}
