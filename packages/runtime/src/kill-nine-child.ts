import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { systemClock } from './clock.ts'
import { runHost } from './host.ts'
import { staticMembership } from './membership.ts'
import { openSqliteLog } from './sqlite-log.ts'
import { toyProcessor } from './toy-processor.ts'

/**
 * The process that kill-nine.test.ts kills and full-disk.test.ts starves: two toy processors over the folder that it is given,
 * until SIGTERM. Warnings go to stdout.
 */
const log = openSqliteLog({ folder: process.argv[2]! })
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
// Past its limit for files a write then fails (EFBIG), as it does on a full disk, and the process lives.
process.on('SIGXFSZ', () => {})
process.stdout.write('ready\n')
const common = {
  log,
  clock: systemClock,
  build: 'test',
  newOwner: randomUUID,
  logger: pino({ level: 'warn' }, pino.destination({ sync: true })),
  membership: staticMembership([0]),
  random: Math.random,
  limits: { snapshotEntries: 7, tickMs: 50, lingerMs: 1, maxRecords: 40 },
}
await Promise.all([
  runHost(
    { ...common, processor: toyProcessor('first'), inputs: () => [{ kind: 'topic', topic: 'in', partition: 0 }] },
    stop.signal,
  ),
  runHost(
    { ...common, processor: toyProcessor('second'), inputs: () => [{ kind: 'log', topic: 'log.first', partition: 0 }] },
    stop.signal,
  ),
])
await log.close()
