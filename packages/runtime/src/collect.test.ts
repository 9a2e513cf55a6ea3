import type { LogRecord } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { collect } from './collect.ts'
import type { EventLog } from './event-log.ts'

const source = { kind: 'topic', topic: 'in', partition: 0 } as const
const limits = { maxRecords: 4, maxBytes: 1_000 }

/** A topic that holds the offsets up to `end`, and remembers which were read. */
function topicOf(end: { now: bigint }) {
  const read: bigint[] = []
  const log = {
    wait: async () => end.now,
    async *read({ from, to }: { from: bigint; to: bigint }) {
      const records: LogRecord[] = []
      for (let offset = from; offset < to; offset++) {
        read.push(offset)
        records.push({ topic: 'in', partition: 0, offset, at: 0, key: null, value: new Uint8Array(8), headers: {} })
      }
      yield { topic: 'in', partition: 0, records }
    },
  }
  return { log: log as Partial<EventLog> as EventLog, read }
}
const offsets = (units: readonly { readonly next: bigint }[]) => units.map(({ next }) => next - 1n)

test('a second look reads only what has come since the first, and offers both', async () => {
  const end = { now: 2n }
  const { log, read } = topicOf(end)
  const first = await collect(log, source, 0n, limits)
  end.now = 3n
  const second = await collect(log, source, 0n, limits, first)
  expect(offsets(second.units)).toEqual([0n, 1n, 2n])
  expect([second.from, second.to, second.drained]).toEqual([0n, 3n, true])
  expect(read).toEqual([0n, 1n, 2n])
})

test('two looks together take no more than one may, and what is full is not looked at again', async () => {
  const end = { now: 3n }
  const { log, read } = topicOf(end)
  const first = await collect(log, source, 0n, limits)
  end.now = 9n
  const second = await collect(log, source, 0n, limits, first)
  expect([offsets(second.units).length, second.to, second.drained]).toEqual([4, 4n, false])
  read.length = 0
  expect(await collect(log, source, 0n, limits, second)).toBe(second)
  expect(read).toEqual([])
})

test('an end that was just seen is not asked for', async () => {
  const { log } = topicOf({ now: 9n })
  expect((await collect(log, source, 0n, limits, undefined, 2n)).to).toBe(2n)
})
