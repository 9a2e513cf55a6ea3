import { randomBytes } from 'node:crypto'
import { mkdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { guardEventLoop } from '@interlock/runtime'
import pino from 'pino'
import type { Config } from '../config.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { type Embedded, startEmbedded } from '../up/embedded.ts'

/** `interlock up`: all services in this process on one folder, until Ctrl-C. */
export async function up(config: Config, out: Output): Promise<number> {
  if (config.kafka !== undefined) {
    throw new UsageError(
      `${config.file}: has a section \`kafka\`, so its services run as processes: \`interlock run <service>\`. Take the section out to run everything in this process.`,
    )
  }
  const began = performance.now()
  makeDataFolder(config.data)
  const logger = pino(
    { level: process.env.INTERLOCK_LOG ?? 'info' },
    pino.destination({ dest: join(config.data, 'interlock.log'), sync: true }),
  )
  const token = randomBytes(24).toString('base64url')
  const unguard = guardEventLoop()
  const running = await startEmbedded(config, { logger, demo: false, token })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  out.event(
    { event: 'up', url: running.url, pid: process.pid },
    `✓ log ${config.data}  ✓ services ${seconds} s   ${running.url}/#t=${token} (once)   Next: interlock status`,
  )
  askForApprovals(config, running, out)
  return new Promise((resolve) => {
    const end = (signal: NodeJS.Signals): void => {
      out.say(`\n${signal}: finishing what is under way and writing a last snapshot`)
      unguard()
      running.stop().then(() => resolve(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.good))
    }
    process.once('SIGINT', end)
    process.once('SIGTERM', end)
    running.done.catch((error: unknown) => {
      // A part that cannot go on must not leave the rest looking well: say why and end, so that somebody restarts it.
      writeSync(
        2,
        `${error instanceof Error ? error.message : String(error)}\nInterlock stops: a part cannot go on. ${join(config.data, 'interlock.log')} has the details.\n`,
      )
      process.exit(exitCodes.unavailableOrUnknown)
    })
  })
}

function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new UsageError(
      `${folder}: cannot be the data folder (${(error as Error).message}). Name another one: --data, or data in interlock.yaml.`,
    )
  }
}

/** Says once for each deployment that lacks them which approvals it waits for, and the commands that give them. */
function askForApprovals(config: Config, running: Embedded, out: Output): void {
  const asked = new Set<string>()
  running.follow('governor', (one) => {
    if (one.kind !== 'state' || asked.has(one.deployment)) return
    asked.add(one.deployment)
    const registration = running.registrations.get(one.deployment)
    const approvals = one.engines.find(({ engine }) => engine === 'approvals')
    if (registration === undefined || approvals === undefined || approvals.state === 'ok') return
    const person = config.people.find(({ id }) => id !== config.operator)?.id ?? '<another person>'
    out.event(
      { event: 'waits-for-approval', deployment: one.deployment, ...registration },
      [
        `${one.deployment} waits for a second person (${approvals.detail}):`,
        ...[registration.document, registration.policy].map(
          (hash) => `  interlock approve ${one.deployment} ${hash} --as ${person}`,
        ),
      ].join('\n'),
    )
  })
}
