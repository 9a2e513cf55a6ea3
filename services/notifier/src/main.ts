import { open, readFile, rename } from 'node:fs/promises'
import type { AgentId, AlertOut, FactRecord } from '@interlock/contracts'
import { decodeOut, shardOf } from '@interlock/contracts'
import type { Clock, EventLog } from '@interlock/runtime'
import { deliver } from './deliver.ts'
import type { Sink } from './sink.ts'

export interface NotifierOptions {
  readonly log: EventLog
  readonly topics: { readonly alerts: string; readonly facts: string }
  readonly clock: Clock
  readonly environment: string
  readonly holder: AgentId
  readonly sinks: readonly Sink[]
  readonly sign: (record: FactRecord) => Uint8Array
  /** File that remembers, by partition, the offset before which every alert was delivered or given up. */
  readonly positions: string
  readonly tell: (message: string, details: Readonly<Record<string, unknown>>) => void
}

/** Alerts under way at once. A sink that hangs delays at most so many, and never another deployment's first page. */
const inFlightLimit = 32
const waitMs = 1_000

/** Delivers alerts until `signal` is aborted: each at least once, also over a restart. */
export async function runNotifier(options: NotifierOptions, signal: AbortSignal): Promise<void> {
  const partitions = await options.log.partitions(options.topics.alerts)
  const positions = await loadPositions(options.positions)
  await Promise.all(Array.from({ length: partitions }, (_, partition) => tail(options, partition, positions, signal)))
}

async function tail(
  options: NotifierOptions,
  partition: number,
  positions: Map<number, bigint>,
  signal: AbortSignal,
): Promise<void> {
  const { log, topics, clock, tell } = options
  const { begin } = await log.bounds(topics.alerts, partition)
  const known = positions.get(partition) ?? begin
  let next = greatest([known, begin])
  const underWay = new Map<bigint, Promise<void>>()
  while (!signal.aborted) {
    try {
      const end = await log.wait(topics.alerts, partition, next, waitMs, signal)
      for await (const batch of log.read({ topic: topics.alerts, partition, from: next, to: end })) {
        for (const record of batch.records) {
          while (underWay.size >= inFlightLimit) await Promise.race(underWay.values())
          if (record.value === null) continue
          const alert = decodeOut({ kind: 'alert', key: '', value: record.value }) as AlertOut
          underWay.set(
            record.offset,
            deliver(alert, {
              sinks: options.sinks,
              report: async (fact) => {
                const shard = shardOf(alert.deployment, await log.partitions(topics.facts))
                const value = options.sign({
                  v: 1,
                  environment: options.environment,
                  deployment: alert.deployment,
                  by: options.holder,
                  fact,
                })
                await log.append(topics.facts, shard, { key: new TextEncoder().encode(alert.deployment), value })
              },
              sleep: (ms) => clock.sleep(ms, signal),
            })
              .catch((error: unknown) =>
                tell('an alert could not be reported', { alert: alert.id, error: String(error) }),
              )
              .finally(() => underWay.delete(record.offset)),
          )
        }
      }
      next = end
      const unfinished = [...underWay.keys()]
      const done = least([next, ...unfinished])
      if (positions.get(partition) !== done) {
        positions.set(partition, done)
        await savePositions(options.positions, positions)
      }
    } catch (error) {
      tell('the alerts topic could not be read; trying again', { partition, error: String(error) })
      await clock.sleep(waitMs, signal)
    }
  }
  await Promise.allSettled(underWay.values())
}

/** Offsets are bigints, which Math.min and Math.max do not take. */
function least(offsets: readonly bigint[]): bigint {
  return offsets.toSorted(byOffset)[0] as bigint
}
function greatest(offsets: readonly bigint[]): bigint {
  return offsets.toSorted(byOffset).at(-1) as bigint
}
function byOffset(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

async function loadPositions(path: string): Promise<Map<number, bigint>> {
  try {
    const saved = JSON.parse(await readFile(path, 'utf8')) as Record<string, string>
    return new Map(Object.entries(saved).map(([partition, offset]) => [Number(partition), BigInt(offset)]))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map()
    throw error
  }
}

async function savePositions(path: string, positions: ReadonlyMap<number, bigint>): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(Object.fromEntries([...positions].map(([key, value]) => [key, String(value)]))))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
