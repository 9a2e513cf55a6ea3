/**
 * The process that faults.test.ts kills and freezes: two toy processors on a broker and prefix, until SIGTERM. With
 * `group` it owns what its consumer group gives it, else everything, whoever else does: only `prev` keeps them apart.
 */
import { randomUUID } from 'node:crypto'
import { KafkaMembership, openKafkaLog, runHost, staticMembership, systemClock } from '@interlock/runtime'
import { pino } from 'pino'
import { toyProcessor } from '../../packages/runtime/src/toy-processor.ts'

const [address, prefix, how] = process.argv.slice(2) as [string, string, string?]
const connection = { brokers: [address], clientId: `owner-${process.pid}` }
const log = openKafkaLog({ ...connection, prefix })
const groups: KafkaMembership[] = []
const membershipOf = (processor: string) => {
  if (how !== 'group') return staticMembership([0])
  const group = new KafkaMembership({ ...connection, groupId: prefix + processor, topic: `${prefix}log.${processor}` })
  groups.push(group)
  return group
}
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
process.stdout.write('ready\n')
const common = {
  log,
  clock: systemClock,
  build: 'test',
  newOwner: () => `${process.pid} ${randomUUID()}`,
  logger: pino({ level: 'silent' }),
  random: Math.random,
  limits: { snapshotEntries: 7, tickMs: 50, lingerMs: 1, maxRecords: 40 },
}
await Promise.all([
  runHost(
    {
      ...common,
      membership: membershipOf('first'),
      processor: toyProcessor('first'),
      inputs: () => [{ kind: 'topic', topic: 'in', partition: 0 }],
    },
    stop.signal,
  ),
  runHost(
    {
      ...common,
      membership: membershipOf('second'),
      processor: toyProcessor('second'),
      inputs: () => [{ kind: 'log', topic: 'log.first', partition: 0 }],
    },
    stop.signal,
  ),
])
await Promise.all(groups.map((group) => group.close()))
await log.close()
