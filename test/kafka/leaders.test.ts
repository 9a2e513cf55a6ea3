/** Three copies of everything: the leader dies under appends and reads. */
import { setTimeout as sleep } from 'node:timers/promises'
import { LogUnavailable, openKafkaLog } from '@interlock/runtime'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, expect, test } from 'vitest'
import { howToRun, newPrefix, ownCluster } from './broker.ts'

/** Rounds more, in each of which the dead one comes back, the leader is frozen and thawed, and another leader killed. */
const rounds = Number(process.env.ROUNDS ?? 0)
const brokers = await ownCluster()
afterAll(async () => {
  for (const broker of brokers ?? []) await broker.remove()
})

if (brokers === null) {
  test('Kafka could not be run', () => {
    expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
  })
} else {
  test('a leader is killed: another goes on, and nothing acknowledged is lost or doubled', async () => {
    const prefix = newPrefix()
    const connection = { brokers: brokers.map(({ address }) => address), clientId: 'interlock-test' }
    const log = openKafkaLog({ ...connection, prefix })
    await expect
      .poll(() => log.createTopic('events', { partitions: 1 }).then(() => 'made'), { timeout: 20_000 })
      .toBe('made')
    const admin = new Kafka({ ...connection, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const leader = async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [`${prefix}events`] })
      const { brokers: known } = await admin.describeCluster()
      const { port } = known.find(({ nodeId }) => nodeId === topics[0]!.partitions[0]!.leader)!
      return brokers.find(({ address }) => address.endsWith(`:${port}`))!
    }
    const acknowledged: { readonly offset: bigint; readonly text: string }[] = []
    let unknown = 0
    let gapMs = 0
    let writing = true
    const write = async () => {
      for (let n = 0, last = performance.now(); writing; n++) {
        try {
          const answer = await log.append('events', 0, { value: Buffer.from(`${n}`) })
          if (answer === 'unknown') unknown += 1
          else acknowledged.push({ offset: answer.offset, text: `${n}` })
          gapMs = Math.max(gapMs, performance.now() - last)
          last = performance.now()
        } catch (error) {
          expect(error).toBeInstanceOf(LogUnavailable)
        }
        await sleep(2)
      }
    }
    const seen: string[] = []
    const follow = async () => {
      for (let next = 0n; writing; ) {
        try {
          const end = await log.wait('events', 0, next, 500)
          for await (const { records } of log.read({ topic: 'events', partition: 0, from: next, to: end })) {
            for (const { offset, value } of records) {
              expect(offset).toBe(next)
              seen.push(String(value))
              next = offset + 1n
            }
          }
        } catch (error) {
          if (!(error instanceof LogUnavailable)) throw error
        }
      }
    }
    const running = Promise.all([write(), follow()])
    const goesOn = async () => {
      const before = acknowledged.length
      await expect.poll(() => acknowledged.length, { timeout: 30_000, interval: 50 }).toBeGreaterThan(before + 100)
    }
    await goesOn()
    let dead = await leader()
    await dead.kill()
    await goesOn()
    for (let round = 0; round < rounds; round++) {
      await dead.start()
      const frozen = await leader()
      frozen.freeze()
      await sleep(500)
      await goesOn()
      frozen.thaw()
      await sleep(5_000) // a copy that has not caught up may not lead
      dead = await leader()
      await dead.kill()
      await goesOn()
    }
    writing = false
    await running
    const { end } = await log.bounds('events', 0)
    const landed = new Map<bigint, string>()
    for await (const { records } of log.read({ topic: 'events', partition: 0, from: 0n, to: end })) {
      for (const { offset, value } of records) landed.set(offset, String(value))
    }
    expect(acknowledged.filter(({ offset, text }) => landed.get(offset) !== text)).toEqual([])
    expect(new Set(landed.values()).size).toBe(landed.size)
    expect(seen).toEqual([...landed.values()].slice(0, seen.length))
    console.info(`${acknowledged.length} acknowledged, ${unknown} unknown, longest gap ${Math.round(gapMs)} ms`)
    await Promise.all([log.close(), admin.disconnect()])
  })
}
