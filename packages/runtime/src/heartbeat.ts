import { randomUUID } from 'node:crypto'
import { type Heartbeat, type ProbeProgress, type Signer, signHeartbeat, topics } from '@interlock/contracts'
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import { withDeadlines } from './deadlines.ts'
import type { EventLog } from './event-log.ts'
import { type ProcessGauge, processGauge } from './heartbeat-process.ts'
import type { Progress } from './heartbeat-progress.ts'
import { call } from './https-call.ts'

/** Where a watcher listens. */
export interface WatcherAddress {
  readonly url: string
  /** The only authorities that may vouch for it, PEM; absent: those that the system trusts. */
  readonly ca?: string
}

export interface HeartbeatOptions {
  readonly environment: string
  /** Holder of the key that signs. */
  readonly component: string
  readonly signer: Signer
  readonly watchers: readonly WatcherAddress[]
  /** Each beat is also kept on `heartbeats`. Null for who has no log. */
  readonly log: EventLog | null
  readonly clock: Clock
  readonly logger: Logger
  readonly progress?: Progress
  readonly probe?: () => ProbeProgress
  /** Of a watcher: the troubles that people were told of. */
  readonly paged?: () => readonly string[]
  readonly gauge?: ProcessGauge
}

export const heartbeatEveryMs = 1_000
/** A beat that has not arrived by then is overtaken by the next ones. */
const sendWithinMs = 2_500
/** Address of the door at a watcher. */
export const heartbeatPath = '/v1/heartbeats'

/**
 * Tells the watchers each second how far this process came, until `signal` is aborted; then says that it leaves. A watcher or a
 * log that does not answer keeps nobody waiting: each has at most one beat under way.
 */
export async function runHeartbeat(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger } = options
  const gauge = options.gauge ?? processGauge()
  const log = options.log === null ? null : withDeadlines(options.log, clock)
  const instance = randomUUID()
  const backlog = new Map<string, number | null>()
  const underWay = new Map<string, Promise<void>>()
  const failing = new Set<string>()
  let beat = 0

  const once = (name: string, work: () => Promise<void>): void => {
    if (underWay.has(name)) return
    const run = work()
      .then(() => {
        if (failing.delete(name)) logger.info({ to: name }, 'heartbeats arrive again')
      })
      .catch((error: unknown) => {
        if (failing.has(name)) return
        failing.add(name)
        logger.warn({ to: name, error: (error as Error).message }, 'heartbeats do not arrive')
      })
      .finally(() => underWay.delete(name))
    underWay.set(name, run)
  }
  const say = (leaving: boolean): void => {
    const heartbeat: Heartbeat = {
      v: 1,
      environment: options.environment,
      by: options.component,
      instance,
      beat: ++beat,
      at: Math.round(clock.now()),
      leaving,
      process: gauge.read(),
      shards: options.progress?.list((processor, shard) => backlog.get(`${processor}/${shard}`) ?? null) ?? [],
      probe: options.probe?.() ?? null,
      paged: options.paged?.() ?? null,
    }
    const body = signHeartbeat(heartbeat, options.signer)
    for (const watcher of options.watchers) once(watcher.url, () => send(watcher, body))
    if (log === null) return
    once(topics.heartbeats, () => keep(log, options.component, body))
    once('backlog', () => measure(log, options.progress, backlog))
  }

  while (!signal.aborted) {
    say(false)
    await clock.sleep(heartbeatEveryMs, signal)
  }
  // The last word must not wait behind a beat that is under way.
  await Promise.allSettled(underWay.values())
  say(true)
  await Promise.allSettled(underWay.values())
  if (options.gauge === undefined) gauge.stop()
}

async function send({ url, ca }: WatcherAddress, body: Uint8Array): Promise<void> {
  const { status, text } = await call({
    url: new URL(heartbeatPath, url),
    body,
    contentType: 'application/json',
    timeoutMs: sendWithinMs,
    ...(ca === undefined ? {} : { ca }),
  })
  if (status !== 204) throw new Error(`the watcher answered ${status}: ${text.slice(0, 300)}`)
}

async function keep(log: EventLog, component: string, body: Uint8Array): Promise<void> {
  const answer = await log.append(topics.heartbeats, 0, { key: Buffer.from(component), value: body })
  if (answer === 'unknown') throw new Error('the log does not say whether it took the heartbeat')
}

/** Counts what lies before the shards that are not caught up. Asks the log only about those. */
async function measure(log: EventLog, progress: Progress | undefined, into: Map<string, number | null>): Promise<void> {
  into.clear()
  const ends = new Map<string, bigint>()
  for (const { processor, shard, positions } of progress?.catchingUp() ?? []) {
    let behind = 0n
    for (const [source, position] of positions) {
      const at = source.lastIndexOf('/')
      const end = ends.get(source) ?? (await log.bounds(source.slice(0, at), Number(source.slice(at + 1)))).end
      ends.set(source, end)
      if (end > position) behind += end - position
    }
    into.set(`${processor}/${shard}`, Number(behind))
  }
}
