import { openKafkaLog, shardLimits, systemClock } from '@interlock/runtime'
import { Kafka, logLevel } from 'kafkajs'
import { collect } from '../../packages/runtime/src/collect.ts'
import { fetchRequest } from '../../packages/runtime/src/kafka/fetch.ts'
import { KafkaClient } from '../../packages/runtime/src/kafka/kafka-client.ts'
import { batchesOf } from '../../packages/runtime/src/kafka/record-batch.ts'
import { anyBroker, howToRun, newPrefix } from '../kafka/broker.ts'

const batchRecords = 500
const valueBytes = 214
const keyBytes = 36
const rounds = 5
const rawPageBytes = 4 * 1_048_576

interface Cost {
  readonly wallNs: number
  readonly cpuNs: number
}

/**
 * Reading one partition of a real broker: through the log port, throwing records away or looking at each, and as a shard
 * takes its steps, beside KafkaJS's consumer as it comes, which throws each batch away. Interleaved rounds in one process;
 * what counts is the ratio. The broker runs beside it, on the same machine.
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

  const range = { topic: 'events', partition: 0, from: 0n, to: BigInt(records) }
  const checked = (seen: number, stop: (records: number) => Cost): Cost => {
    if (seen !== records) throw new Error(`read ${seen} of ${records} records`)
    return stop(records)
  }
  const thrownAway = async () => {
    let seen = 0
    const stop = started()
    for await (const piece of log.read(range)) seen += piece.records.length
    return checked(seen, stop)
  }
  const lookedAt = async () => {
    let seen = 0
    let bytes = 0
    const stop = started()
    for await (const piece of log.read(range)) {
      for (const { value, at, headers } of piece.records) {
        bytes += value!.length
        if (at > 0 && headers['content-type'] !== undefined) seen += 1
      }
    }
    if (bytes !== records * valueBytes) throw new Error(`values of ${bytes} bytes`)
    return checked(seen, stop)
  }
  const inSteps = async () => {
    let seen = 0
    const stop = started()
    const source = { kind: 'topic', topic: 'events', partition: 0 } as const
    for (let from = 0n; from < range.to; ) {
      const { units, to } = await collect(log, source, from, shardLimits)
      seen += units.length
      from = to
    }
    return checked(seen, stop)
  }
  const client = new KafkaClient(connection, systemClock)
  /** What is below the port: a page is fetched while the one before is looked at, and no record is decoded. */
  const rawBatches = async () => {
    const topic = `${prefix}events`
    const stop = started()
    const leader = await client.leader(topic, 0)
    const fetch = (offset: bigint) =>
      leader.send('fetch', fetchRequest([{ topic, partition: 0, offset }], { waitMs: 0, maxBytes: rawPageBytes }))
    let next = 0n
    for (let page = fetch(0n); next < range.to; ) {
      const [fetched] = await page
      for (const { lastOffset } of batchesOf(fetched!.batches)) next = lastOffset + 1n
      if (next < range.to) page = fetch(next)
    }
    return checked(Number(next), stop)
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
  const ways: Record<string, (round: number) => Promise<Cost>> = {
    'raw batches below the port': rawBatches,
    'log port, thrown away': thrownAway,
    'log port, each looked at': lookedAt,
    'log port, steps of a shard': inSteps,
    'KafkaJS consumer, thrown away': theirs,
  }
  const costs = Object.fromEntries(Object.keys(ways).map((way): [string, Cost[]] => [way, []]))
  for (let round = -1; round < rounds; round++) {
    for (const [way, run] of Object.entries(ways)) {
      const cost = await run(round)
      if (round >= 0) costs[way]!.push(cost)
    }
  }
  client.close()
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
  const stockCost = report.at(-1)!
  for (const { way, wallNs, cpuNs } of report.slice(0, -1)) {
    const [wall, cpu] = [stockCost.wallNs / wallNs, stockCost.cpuNs / cpuNs]
    console.log(`${way}: ${wall.toFixed(1)} times the rate of ${stockCost.way}, ${cpu.toFixed(1)} times by CPU`)
  }
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
