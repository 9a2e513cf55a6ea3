import { expect, test } from 'vitest'
import { DeadlineExceeded } from './clock.ts'
import { withDeadlines } from './deadlines.ts'
import type { EventLog } from './event-log.ts'
import { collected, World } from './test-world.ts'

const hang = () => new Promise<never>(() => {})
const hanging: EventLog = {
  createTopic: hang,
  partitions: hang,
  bounds: hang,
  read: async function* () {
    yield { topic: 't', partition: 0, records: [] }
    await hang()
  },
  wait: hang,
  append: hang,
  appendMany: hang,
  close: hang,
}

test('nothing waits longer on a log that hangs than the deadline, and an append is then unknown', async () => {
  const world = new World()
  const { clock } = world.observer
  const log = withDeadlines(hanging, clock, 5_000)
  const began = clock.monotonic()
  const range = { topic: 't', partition: 0, from: 0n, to: 9n }
  const waits = [log.bounds('t', 0), log.wait('t', 0, 0n, 1_000), log.partitions('t'), collected(log.read(range))]
  for (const outcome of await world.done(Promise.allSettled(waits))) {
    expect(outcome.status === 'rejected' && outcome.reason).toBeInstanceOf(DeadlineExceeded)
  }
  expect(await world.done(log.append('t', 0, { value: null }))).toBe('unknown')
  expect(await world.done(log.appendMany('t', 0, [{ value: null }]))).toBe('unknown')
  expect(clock.monotonic() - began).toBe(6_000 + 5_000 + 5_000)
})
