import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaLog, runHost, staticMembership, systemClock } from '@interlock/runtime'
import { pino } from 'pino'
import { toyProcessor } from '../../packages/runtime/src/toy-processor.ts'
import { anyBroker, howToRun, newPrefix } from '../kafka/broker.ts'

const partitions = 4
const valueBytes = 214
const batchRecords = 500
/** A step is made slow on purpose: the broker could give much more than is taken. */
const slowMs = 4
const sampleMs = 100

/**
 * A backlog on a real broker, taken by a slow processor through the whole shell: what memory does meanwhile. The log must
 * hold back: the process may not hold more of the backlog than a few pages a partition, however much there is.
 */
export async function bench(flags: readonly string[]): Promise<void> {
  const events = flags.includes('--quick') ? 200_000 : 2_000_000
  const broker = await anyBroker()
  if (broker === null) {
    console.error(howToRun)
    process.exitCode = 1
    return
  }
  const log = openKafkaLog({ brokers: [broker.address], clientId: 'bench', prefix: newPrefix() })
  await log.createTopic('events', { partitions })
  await log.createTopic('log.toy', { partitions })
  await log.createTopic('snapshots', { partitions, compacted: true })
  const batch = Array.from({ length: batchRecords }, (_, index) => ({ value: Buffer.alloc(valueBytes, index) }))
  for (let sent = 0; sent < events; sent += partitions * batchRecords) {
    await Promise.all(Array.from({ length: partitions }, (_, partition) => log.appendMany('events', partition, batch)))
  }

  const stop = new AbortController()
  let taken = 0
  const toy = toyProcessor('toy')
  const started = performance.now()
  const host = runHost(
    {
      ...{ log, clock: systemClock, random: Math.random, logger: pino({ level: 'silent' }), build: 'bench' },
      newOwner: randomUUID,
      membership: staticMembership(Array.from({ length: partitions }, (_, shard) => shard)),
      inputs: (partition) => [{ kind: 'topic', topic: 'events', partition }],
      processor: {
        ...toy,
        step: (state, inputs, time, caughtUp) => {
          for (const until = performance.now() + slowMs; performance.now() < until; );
          taken += inputs.length
          return toy.step(state, inputs, time, caughtUp)
        },
      },
    },
    stop.signal,
  )
  host.catch(() => undefined) // awaited below
  const samples: number[] = []
  while (taken < events) {
    samples.push(process.memoryUsage().rss)
    await Promise.race([host, sleep(sampleMs)])
  }
  const seconds = (performance.now() - started) / 1_000
  stop.abort()
  await host
  await log.close()
  await broker.remove()

  const megabytes = (bytes: number) => Math.round(bytes / 1_048_576)
  const quarters = [0, 1, 2, 3].map((quarter) => {
    const from = Math.floor((samples.length * quarter) / 4)
    const some = samples.slice(from, Math.max(from + 1, Math.floor((samples.length * (quarter + 1)) / 4)))
    return megabytes(Math.max(...some))
  })
  const report = {
    bench: 'kafka-backlog',
    events,
    backlogMb: megabytes(events * valueBytes),
    partitions,
    eventsPerS: Math.round(events / seconds),
    rssMbByQuarter: quarters,
  }
  console.log(JSON.stringify(report))
  console.log(
    `largest RSS by quarter of the run: ${quarters.join(', ')} MB; the backlog is ${report.backlogMb} MB of values`,
  )
}
