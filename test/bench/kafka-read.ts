import { openKafkaLog } from '@interlock/runtime'
import { Kafka, logLevel } from 'kafkajs'
import { anyBroker, howToRun, newPrefix } from '../kafka/broker.ts'

const batchRecords = 500
const valueBytes = 214
const keyBytes = 36
const rounds = 5

interface Cost {
  readonly wallNs: number
  readonly cpuNs: number
}

/**
 * Reading one partition of a real broker: our log, which gives out decoded records, beside KafkaJS's consumer as it
 * comes, which throws each batch away. Interleaved rounds in one process; what counts is the ratio.
 */
export async function bench(flags: readonly string[]): Promise<void> {
  const records = flags.includes('--quick') ? 100_000 : 1_000_000
  const broker = await anyBroker()
  if (broker === null) {
    console.error(howToRun)
    process.exitCode = 1
    return
  }
  const prefix = newPrefix()
  const connection = { brokers: [broker.address], clientId: 'bench' }
  const log = openKafkaLog({ ...connection, prefix })
  await log.createTopic('events', { partitions: 1 })
  const batch = Array.from({ length: batchRecords }, (_, index) => ({
    key: Buffer.alloc(keyBytes, index),
    value: Buffer.alloc(valueBytes, index),
    headers: { 'content-type': 'application/x-bench' },
  }))
  for (let sent = 0; sent < records; sent += batchRecords) await log.appendMany('events', 0, batch)

  const ours = async () => {
    let seen = 0
    const stop = started()
    const range = { topic: 'events', partition: 0, from: 0n, to: BigInt(records) }
    for await (const piece of log.read(range)) seen += piece.records.length
    if (seen !== records) throw new Error(`read ${seen} of ${records} records`)
    return stop(records)
  }
  const stock = new Kafka({ ...connection, logLevel: logLevel.NOTHING })
  const theirs = async (round: number) => {
    const consumer = stock.consumer({ groupId: `${prefix}${round}`, maxWaitTimeInMs: 500 })
    let seen = 0
    let stop = started()
    // Joining the group is not what is measured.
    consumer.on(consumer.events.GROUP_JOIN, () => {
      stop = started()
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [`${prefix}events`], fromBeginning: true })
    const cost = await new Promise<Cost>((resolve, reject) => {
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch: { messages } }) => {
            seen += messages.length
            if (seen === records) resolve(stop(records))
          },
        })
        .catch(reject)
    })
    await consumer.disconnect()
    return cost
  }
  const costs: Record<string, Cost[]> = { 'our log': [], 'KafkaJS consumer': [] }
  for (let round = -1; round < rounds; round++) {
    const pair = [await ours(), await theirs(round)] as const
    if (round < 0) continue
    costs['our log']!.push(pair[0])
    costs['KafkaJS consumer']!.push(pair[1])
  }
  await log.close()
  await broker.remove()

  const report = Object.entries(costs).map(([way, all]) => {
    const wall = all.map(({ wallNs }) => wallNs).sort((a, b) => a - b)
    const cpu = all.map(({ cpuNs }) => cpuNs).sort((a, b) => a - b)
    const middle = rounds >> 1
    return {
      way,
      wallNs: wall[middle]!,
      leastWallNs: wall[0]!,
      cpuNs: cpu[middle]!,
      eventsPerS: Math.round(1e9 / wall[middle]!),
    }
  })
  console.log(JSON.stringify({ bench: 'kafka-read', records, batchRecords, valueBytes, rounds, report }))
  console.table(report)
  const [own, other] = report
  console.log(`wall ${(other!.wallNs / own!.wallNs).toFixed(1)}×, CPU ${(other!.cpuNs / own!.cpuNs).toFixed(1)}×`)
}

function started(): (records: number) => Cost {
  const wall = process.hrtime.bigint()
  const cpu = process.cpuUsage()
  return (records) => {
    const { user, system } = process.cpuUsage(cpu)
    const nanoseconds = Number(process.hrtime.bigint() - wall)
    return { wallNs: Math.round(nanoseconds / records), cpuNs: Math.round(((user + system) * 1_000) / records) }
  }
}
