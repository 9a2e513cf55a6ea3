/** The Kafka log on a real broker: the suite that every log passes, and what only Kafka has. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogRecord, Range } from '@interlock/contracts'
import { type EventLog, KafkaMembership, openKafkaLog, RangeGone, seededRandom, TopicUnfit } from '@interlock/runtime'
import { CompressionTypes, Kafka, logLevel, type Transaction } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventLogConformance } from '../../packages/runtime/src/conformance.ts'
import { anyBroker, howToRun, newPrefix } from './broker.ts'

const broker = await anyBroker()
afterAll(() => broker?.remove())

if (broker === null) {
  test('Kafka could not be run', () => {
    expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
  })
} else {
  const connection = { brokers: [broker.address], clientId: 'interlock-test' }
  const stock = new Kafka({ ...connection, logLevel: logLevel.NOTHING })

  eventLogConformance('the Kafka log', async () => {
    const prefix = newPrefix()
    const log = openKafkaLog({ ...connection, prefix })
    const other = openKafkaLog({ ...connection, prefix })
    const admin = stock.admin()
    return {
      log,
      other,
      trimHead: async (topic, partition) => {
        const { end } = await log.bounds(topic, partition)
        const partitions = [{ partition, offset: String(end - 5n) }]
        await admin.connect()
        // KafkaJS deletes records of topics only that it has looked at before.
        await admin.fetchTopicOffsets(prefix + topic)
        await admin.deleteTopicRecords({ topic: prefix + topic, partitions })
      },
      close: async () => {
        await Promise.all([log.close(), other.close(), admin.disconnect()])
      },
    }
  })

  describe('a customer’s topic', () => {
    const prefix = newPrefix()
    const admin = stock.admin()
    let log: EventLog
    beforeAll(async () => {
      log = openKafkaLog(connection)
      await admin.connect()
    })
    afterAll(async () => {
      await Promise.all([log.close(), admin.disconnect()])
    })
    const topicWith = async (name: string, settings: Readonly<Record<string, string>> = {}): Promise<string> => {
      const topic = prefix + name
      const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }))
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }], waitForLeaders: true })
      return topic
    }

    test.each(['gzip', 'snappy', 'lz4', 'zstd'])('is read whatever Java’s %s made of it', async (codec) => {
      const topic = await topicWith(codec, { 'compression.type': codec })
      // The broker compresses with the Java clients' own libraries what we append uncompressed.
      const given = [1, 50, 700, 20].map((count, batch) => values(batch, count))
      for (const records of given) await log.appendMany(topic, 0, records)
      const { end } = await log.bounds(topic, 0)
      const records = await all(log, { topic, partition: 0, from: 0n, to: end })
      expect(records.map(plain)).toEqual(given.flat().map(({ key, value, headers }) => ({ key, value, headers })))
      expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => BigInt(index)))
    })

    test('is read alike in one go and in steps that stop anywhere, also when other partitions are read between', async () => {
      const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
      const random = seededRandom(seed)
      const topics = await Promise.all(
        ['steps-zstd', 'steps-plain'].map((name) =>
          topicWith(name, name === 'steps-zstd' ? { 'compression.type': 'zstd' } : {}),
        ),
      )
      for (let batch = 0; batch < 40; batch++) {
        const records = values(batch, 1 + Math.floor(random() * 600))
        for (const topic of topics) await log.appendMany(topic, 0, records)
      }
      const { end } = await log.bounds(topics[0]!, 0)
      const told = ({ offset, value }: LogRecord) => `${offset} ${value}`
      const inSteps = topics.map(() => [] as string[])
      for (let done = 0; done < topics.length; ) {
        done = 0
        for (const [index, topic] of topics.entries()) {
          const seen = inSteps[index]!
          const from = BigInt(seen.length)
          if (from === end) done += 1
          let wanted = 1 + Math.floor(random() * 3_000)
          const to = random() < 0.5 ? end : from + BigInt(Math.floor(random() * Number(end - from)))
          for await (const { records } of log.read({ topic, partition: 0, from, to })) {
            for (const record of records.slice(0, wanted)) seen.push(told(record))
            wanted -= records.length
            if (wanted <= 0) break
          }
        }
      }
      for (const [index, topic] of topics.entries()) {
        const whole = (await all(log, { topic, partition: 0, from: 0n, to: end })).map(told)
        expect(inSteps[index], `seed ${seed}`).toEqual(whole)
      }
    })

    test('is read as another client wrote it, with its own times', async () => {
      const topic = await topicWith('create-time', { 'message.timestamp.type': 'CreateTime' })
      const producer = stock.producer()
      await producer.connect()
      const times = [1_700_000_000_000, 1_600_000_000_000, 1_750_000_000_123]
      const messages = times.map((time) => ({ key: null, value: `${time}`, timestamp: String(time) }))
      await producer.send({ topic, messages, compression: CompressionTypes.GZIP })
      await producer.disconnect()
      const ours = await log.append(topic, 0, { value: Buffer.from('ours') })
      const records = await all(log, { topic, partition: 0, from: 0n, to: 4n })
      expect(records.map(({ at }) => at)).toEqual([...times, (ours as { at: number }).at])
    })

    test('gives out committed transactions only, also of producers that interleave, and nothing of an open one', async () => {
      const topic = await topicWith('transactions')
      const producers = [1, 2].map((n) =>
        stock.producer({ transactionalId: `${prefix}${n}`, idempotent: true, maxInFlightRequests: 1 }),
      )
      for (const producer of producers) await producer.connect()
      const [one, two] = await Promise.all(producers.map((producer) => producer.transaction()))
      const send = (to: Transaction | undefined, text: string) => to!.send({ topic, messages: [{ value: text }] })
      await send(one!, 'aborted 1')
      await send(two!, 'kept 1')
      await send(one!, 'aborted 2')
      await send(two!, 'kept 2')
      // Two transactions are open: nothing of the partition is decided, so it ends at its beginning.
      expect((await log.bounds(topic, 0)).end).toBe(0n)
      await one!.abort()
      await two!.commit()
      const again = await producers[0]!.transaction()
      await send(again, 'kept 3')
      await again.commit()
      await expect.poll(async () => (await log.bounds(topic, 0)).end).toBe(8n)
      const text = async (from: bigint, to: bigint) =>
        (await all(log, { topic, partition: 0, from, to })).map(({ offset, value }) => `${offset} ${value}`)
      expect(await text(0n, 8n)).toEqual(['1 kept 1', '3 kept 2', '6 kept 3'])
      expect(await text(2n, 4n)).toEqual(['3 kept 2'])
      expect(await text(4n, 6n)).toEqual([])
      for (const producer of producers) await producer.disconnect()
    })

    test('that compaction thinned out is read with its gaps', async () => {
      const eager = { 'cleanup.policy': 'compact', 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.01' }
      const topic = await topicWith('compacted', {
        ...eager,
        'max.compaction.lag.ms': '100',
        'min.compaction.lag.ms': '0',
      })
      const put = (key: string, value: string) =>
        log.append(topic, 0, { key: Buffer.from(key), value: Buffer.from(value) })
      for (let round = 0; round < 5; round++) for (const key of ['a', 'b']) await put(key, `${round}`)
      // Segments roll and are cleaned in the background; a fresh record lets the last one roll.
      const offsets = async () => {
        const { begin, end } = await log.bounds(topic, 0)
        return (await all(log, { topic, partition: 0, from: begin, to: end })).map(({ offset }) => Number(offset))
      }
      await sleep(150)
      await put('c', 'x')
      await expect.poll(offsets, { timeout: 25_000, interval: 500 }).toEqual([8, 9, 10])
      await expect(all(log, { topic, partition: 0, from: 3n, to: 12n })).rejects.toThrow(RangeGone)
      expect(await all(log, { topic, partition: 0, from: 3n, to: 8n })).toEqual([])
    })

    test('is not taken for one of ours when its settings break the protocol', async () => {
      const topic = await topicWith('foreign', { 'message.timestamp.type': 'CreateTime', 'retention.ms': '1000' })
      const refused = log.createTopic(topic, { partitions: 1, retentionMs: 86_400_000 })
      await expect(refused).rejects.toThrow(TopicUnfit)
      await expect(refused).rejects.toThrow('--add-config message.timestamp.type=LogAppendTime')
    })
  })

  test('members of a group share the shards, and who is left gets those of who leaves', async () => {
    const prefix = newPrefix()
    const log = openKafkaLog({ ...connection, prefix })
    await log.createTopic('log.toy', { partitions: 4 })
    const options = { ...connection, groupId: `${prefix}toy`, topic: `${prefix}log.toy` }
    const member = () => {
      const membership = new KafkaMembership(options)
      const seen = { owned: [] as readonly number[] }
      const stop = membership.on((owned) => {
        seen.owned = owned
      })
      const leave = () => {
        stop()
        return membership.close()
      }
      return { seen, leave }
    }
    const within = { timeout: 20_000, interval: 100 }
    const first = member()
    await expect.poll(() => first.seen.owned, within).toEqual([0, 1, 2, 3])
    const second = member()
    await expect.poll(() => second.seen.owned.length, within).toBe(2)
    await expect.poll(() => [...first.seen.owned, ...second.seen.owned].sort(), within).toEqual([0, 1, 2, 3])
    await first.leave()
    await expect.poll(() => second.seen.owned, within).toEqual([0, 1, 2, 3])
    await second.leave()
    await log.close()
  })
}

const buffer = (text: string): Buffer => Buffer.from(text)

/** Records that compress and records that do not. */
function values(batch: number, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    key: buffer(`key ${batch}.${index}`),
    value: index % 3 === 0 ? buffer('same '.repeat(index)) : noise(batch * 1_000 + index, index * 3),
    headers: { 'content-type': 'x/y', n: `${index}` },
  }))
}

/** Linear congruential bytes: the same each run. */
function noise(seed: number, length: number): Buffer {
  let state = seed
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    }),
  )
}

async function all(log: EventLog, range: Range): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const batch of log.read(range)) records.push(...batch.records)
  return records
}

function plain({ key, value, headers }: LogRecord) {
  return { key, value, headers: { ...headers } }
}
