/** Three copies of everything: the leader dies under appends and reads. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaLog } from '@interlock/runtime'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, expect, test } from 'vitest'
import { howToRun, newPrefix, ownCluster } from './broker.ts'
import { writeAndFollow } from './written-and-followed.ts'

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
    const partition = writeAndFollow(log, 'events')
    await partition.goesOn()
    let dead = await leader()
    await dead.kill()
    await partition.goesOn()
    for (let round = 0; round < rounds; round++) {
      await dead.start()
      const frozen = await leader()
      frozen.freeze()
      await sleep(500)
      await partition.goesOn()
      frozen.thaw()
      await sleep(5_000) // a copy that has not caught up may not lead
      dead = await leader()
      await dead.kill()
      await partition.goesOn()
    }
    const { acknowledged, unknown, longestGapMs } = await partition.finish()
    console.info(`${acknowledged} acknowledged, ${unknown} unknown, longest gap ${Math.round(longestGapMs)} ms`)
    await Promise.all([log.close(), admin.disconnect()])
  })
}
