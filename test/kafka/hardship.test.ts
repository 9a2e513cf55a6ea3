/** What a broker, a producer or a network may do to the Kafka log: bombs, slow partitions, nobody there. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogRecord, Range } from '@interlock/contracts'
import { type EventLog, LogUnavailable, openKafkaLog, runHost, staticMembership, systemClock } from '@interlock/runtime'
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { pino } from 'pino'
import { afterAll, expect, test } from 'vitest'
import { toyProcessor } from '../../packages/runtime/src/toy-processor.ts'
import { howToRun, newPrefix, ownBroker } from './broker.ts'
import { type SwallowingProxy, swallowingProxy } from './proxy.ts'

/** How long the brokers are away; minutes by hand. */
const awayMs = Number(process.env.AWAY_MS ?? 8_000)
let proxy: SwallowingProxy | null = null
const broker = await ownBroker({
  lines: [
    async (port) => {
      proxy = await swallowingProxy(port)
      return proxy.port
    },
  ],
})
afterAll(async () => {
  await broker?.remove()
  await proxy?.close()
})

async function all(log: EventLog, range: Range): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const piece of log.read(range)) records.push(...piece.records)
  return records
}

if (broker === null) {
  test('Kafka could not be run', () => {
    expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
  })
} else {
  const connection = { brokers: [broker.address], clientId: 'interlock-test' }

  test('a compression bomb is one unreadable record, however the range is cut, and the partition goes on', async () => {
    const prefix = newPrefix()
    const log = openKafkaLog({ ...connection, prefix })
    await log.createTopic('events', { partitions: 1 })
    const producer = new Kafka({ ...connection, logLevel: logLevel.NOTHING }).producer()
    await producer.connect()
    const send = (...values: Buffer[]) =>
      producer.send({
        topic: `${prefix}events`,
        messages: values.map((value) => ({ value })),
        compression: CompressionTypes.GZIP,
      })
    await send(Buffer.from('before'))
    const bomb = Buffer.alloc(50 * 1_048_576)
    await send(bomb, bomb, bomb)
    await send(Buffer.from('behind'))
    await producer.disconnect()
    const describe = (records: readonly LogRecord[]) =>
      records.map(({ offset, value, unreadable }) =>
        unreadable ? `${unreadable.from}–${offset} ${unreadable.reason} ${unreadable.records}` : `${offset} ${value}`,
      )
    const whole = ['0 before', '1–3 oversized 3', '4 behind']
    for (let cut = 0n; cut <= 5n; cut++) {
      const range = { topic: 'events', partition: 0 }
      const first = await all(log, { ...range, from: 0n, to: cut })
      const second = await all(log, { ...range, from: cut, to: 5n })
      expect(describe([...first, ...second])).toEqual(whole)
    }
    await log.close()
  })

  test('a slow partition holds up no other one of its broker', async () => {
    const prefix = newPrefix()
    const log = openKafkaLog({ brokers: [broker.lines[0]!], clientId: 'interlock-test', prefix })
    await log.createTopic('slow', { partitions: 1 })
    await log.createTopic('fast', { partitions: 12 })
    await Promise.all([log.bounds('slow', 0), log.bounds('fast', 0)])
    proxy!.slow(`${prefix}slow`, 2_500)
    const done: string[] = []
    const slow = log.append('slow', 0, { value: Buffer.from('x') }).then((answer) => {
      expect(answer).toMatchObject({ offset: 0n })
      done.push('slow')
    })
    await Promise.all(
      Array.from({ length: 12 }, async (_, partition) => {
        for (let n = 0; n < 3; n++)
          expect(await log.append('fast', partition, { value: Buffer.from('y') })).toMatchObject({ offset: BigInt(n) })
        done.push('fast')
      }),
    )
    await slow
    expect(done.indexOf('slow')).toBe(12)
    await log.close()
  })

  test('with a broker that is frozen beyond every deadline, and then thaws, the same log goes on under a host', async () => {
    const log = openKafkaLog({ ...connection, prefix: newPrefix() })
    for (const topic of ['in', 'log.toy']) await log.createTopic(topic, { partitions: 1 })
    await log.createTopic('snapshots', { partitions: 1, compacted: true })
    const stop = new AbortController()
    let valid = 0
    const host = runHost(
      {
        ...{ log, clock: systemClock, random: Math.random, logger: pino({ level: 'silent' }), build: 'test' },
        newOwner: () => 'owner',
        membership: staticMembership([0]),
        processor: toyProcessor('toy'),
        inputs: () => [{ kind: 'topic', topic: 'in', partition: 0 }],
        limits: { tickMs: 100 },
        onValid: () => {
          valid += 1
        },
      },
      stop.signal,
    )
    await expect.poll(() => valid, { timeout: 20_000 }).toBeGreaterThan(3)
    broker.freeze()
    await sleep(11_000)
    const frozen = valid
    broker.thaw()
    await expect.poll(() => valid, { timeout: 20_000 }).toBeGreaterThan(frozen + 10)
    stop.abort()
    await host
    await log.close()
  })

  test('all brokers away: nothing runs hot, nothing piles up, and all goes on by itself when they are back', async () => {
    const log = openKafkaLog({ ...connection, prefix: newPrefix() })
    const partitions = 8
    await log.createTopic('events', { partitions })
    const stop = new AbortController()
    const acknowledged = Array.from({ length: partitions }, () => 0)
    const ends = Array.from({ length: partitions }, () => 0n)
    const ignoringAway = (error: unknown) => {
      if (!(error instanceof LogUnavailable)) throw error
      return null
    }
    const working = acknowledged.map(async (_, partition) => {
      const write = async () => {
        while (!stop.signal.aborted) {
          const answer = await log.append('events', partition, { value: Buffer.alloc(1_000) }).catch(ignoringAway)
          if (answer !== null && answer !== 'unknown') acknowledged[partition]! += 1
          await systemClock.sleep(20, stop.signal)
        }
      }
      const follow = async () => {
        while (!stop.signal.aborted) {
          const end = await log.wait('events', partition, ends[partition]!, 1_000, stop.signal).catch(ignoringAway)
          if (end !== null) ends[partition] = end
        }
      }
      await Promise.all([write(), follow()])
    })
    const goOn = async () => {
      const before = [...acknowledged]
      const moved = () => acknowledged.every((count, partition) => count > before[partition]! + 5)
      await expect.poll(moved, { timeout: 60_000, interval: 100 }).toBe(true)
    }
    await goOn()
    await broker.kill()
    // Who is there instead closes each connection, and counts.
    let connections = 0
    const sockets = new Set<Socket>()
    const nobody = createServer((socket) => {
      connections += 1
      sockets.add(socket)
      socket.destroy()
    }).listen(Number(broker.address.split(':')[1]), '127.0.0.1')
    await once(nobody, 'listening')
    await sleep(2_000)
    const { rss, heapUsed } = process.memoryUsage()
    const cpu = process.cpuUsage()
    const before = connections
    await sleep(awayMs)
    const perSecond = (connections - before) / (awayMs / 1_000)
    const { user, system } = process.cpuUsage(cpu)
    const now = process.memoryUsage()
    nobody.close()
    await broker.start()
    const backAt = performance.now()
    await goOn()
    const shares = `${perSecond.toFixed(1)} connections a second, ${((user + system) / awayMs / 10).toFixed(1)} % of a core`
    const grown = `heap ${((now.heapUsed - heapUsed) / 1e6).toFixed(1)} MB and RSS ${((now.rss - rss) / 1e6).toFixed(1)} MB more`
    console.info(`away ${awayMs} ms: ${shares}, ${grown}; went on ${Math.round(performance.now() - backAt)} ms after`)
    expect(perSecond).toBeLessThan(50)
    expect(now.heapUsed - heapUsed).toBeLessThan(64e6)
    stop.abort()
    await Promise.all(working)
    await log.close()
  })
}
