/** TLS and SASL on a real broker. */
import { KafkaMembership, maxRecordBytes, openKafkaLog } from '@interlock/runtime'
import { afterAll, expect, test } from 'vitest'
import { howToRun, newPrefix, ownBroker } from './broker.ts'

const broker = await ownBroker({ secured: true })
afterAll(() => broker?.remove())

if (broker === null) {
  test('Kafka could not be run', () => {
    expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
  })
} else {
  const { address, ca, username, password } = broker.secured!
  const prefix = newPrefix()
  const connection = {
    brokers: [address],
    clientId: 'interlock-test',
    ssl: { ca: [ca] },
    sasl: { mechanism: 'plain' as const, username, password },
  }

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'a broker that wants TLS and a password by %s is written, waited on and read like any other',
    async (mechanism) => {
      const prefix = newPrefix()
      const sasl = { ...connection.sasl, mechanism }
      const log = openKafkaLog({ ...connection, sasl, prefix })
      await log.createTopic('log.toy', { partitions: 2 })
      const large = Buffer.alloc(maxRecordBytes, 7)
      const waiting = log.wait('log.toy', 1, 0n, 10_000)
      expect(await log.append('log.toy', 1, { value: large })).toMatchObject({ offset: 0n })
      expect(await waiting).toBe(1n)
      for await (const { records } of log.read({ topic: 'log.toy', partition: 1, from: 0n, to: 1n })) {
        expect(large.equals(records[0]!.value!)).toBe(true)
      }
      const group = new KafkaMembership({ ...connection, sasl, groupId: `${prefix}toy`, topic: `${prefix}log.toy` })
      let owned: readonly number[] = []
      const stop = group.on((shards) => {
        owned = shards
      })
      await expect.poll(() => owned, { timeout: 20_000 }).toEqual([0, 1])
      stop()
      await group.close()
      await log.close()
    },
  )

  test.each(['plain', 'scram-sha-512'] as const)(
    'a wrong password is refused at once and by name (%s)',
    async (mechanism) => {
      const log = openKafkaLog({ ...connection, prefix, sasl: { ...connection.sasl, mechanism, password: 'wrong' } })
      await expect(log.bounds('log.toy', 0)).rejects.toThrow(/authentication failed/i)
      await expect(log.createTopic('log.other', { partitions: 1 })).rejects.toThrow(/authentication failed/i)
      await log.close()
    },
  )
}
