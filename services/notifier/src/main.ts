import type { AgentId, AlertOut, FactRecord } from '@interlock/contracts'
import { decodeOut, Malformed, shardOf, UnknownSchema } from '@interlock/contracts'
import type { Clock, EventLog } from '@interlock/runtime'
import { deliver } from './deliver.ts'
import { filePositions, type PositionStore } from './positions.ts'
import type { Sink } from './sink.ts'

export interface NotifierOptions {
  readonly log: EventLog
  readonly topics: { readonly alerts: string; readonly facts: string }
  readonly clock: Clock
  readonly environment: string
  readonly holder: AgentId
  readonly sinks: readonly Sink[]
  readonly sign: (record: FactRecord) => Uint8Array
  /** Remembers, by partition, the offset before which every alert was delivered or given up: a file's path, or a store. */
  readonly positions: string | PositionStore
  readonly tell: (message: string, details: Readonly<Record<string, unknown>>) => void
}

/** Alerts under way at once. A sink that hangs delays at most so many, and never another deployment's first page. */
const inFlightLimit = 32
const waitMs = 1_000

/** Delivers alerts until `signal` is aborted: each at least once, also over a restart. */
export async function runNotifier(options: NotifierOptions, signal: AbortSignal): Promise<void> {
  const partitions = await options.log.partitions(options.topics.alerts)
  const positions = await positionsIn(options.positions)
  await Promise.all(Array.from({ length: partitions }, (_, partition) => tail(options, partition, positions, signal)))
}

/** Offsets before which every alert was delivered or given up, by partition, and the store that keeps them. */
interface Positions {
  of(partition: number): bigint | undefined
  move(partition: number, to: bigint): Promise<void>
}

async function tail(
  options: NotifierOptions,
  partition: number,
  positions: Positions,
  signal: AbortSignal,
): Promise<void> {
  const { log, topics, clock, tell } = options
  const { begin } = await log.bounds(topics.alerts, partition)
  const known = positions.of(partition) ?? begin
  let next = greatest([known, begin])
  const underWay = new Map<bigint, Promise<void>>()
  while (!signal.aborted) {
    try {
      const end = await log.wait(topics.alerts, partition, next, waitMs, signal)
      for await (const batch of log.read({ topic: topics.alerts, partition, from: next, to: end })) {
        for (const record of batch.records) {
          while (underWay.size >= inFlightLimit) await Promise.race(underWay.values())
          if (record.value === null) continue
          const alert = alertIn(record.value)
          if (alert === null) {
            tell('a record on the alerts topic is no alert; it is left out', {
              partition,
              offset: String(record.offset),
            })
            continue
          }
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
      if (positions.of(partition) !== done) await positions.move(partition, done)
    } catch (error) {
      tell('the alerts topic could not be read; trying again', { partition, error: String(error) })
      await clock.sleep(waitMs, signal)
    }
  }
  await Promise.allSettled(underWay.values())
}

/** The alert of a record, or null: what cannot be read must not keep the alerts behind it waiting. */
function alertIn(value: Uint8Array): AlertOut | null {
  try {
    return decodeOut({ kind: 'alert', key: '', value }) as AlertOut
  } catch (error) {
    if (error instanceof Malformed || error instanceof UnknownSchema) return null
    throw error
  }
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

async function positionsIn(given: string | PositionStore): Promise<Positions> {
  const store = typeof given === 'string' ? filePositions(given) : given
  const positions = await store.load()
  let saving = Promise.resolve()
  return {
    of: (partition) => positions.get(partition),
    move(partition, to) {
      positions.set(partition, to)
      // One after the other: partitions share the store.
      saving = saving.catch(() => undefined).then(() => store.save(positions))
      return saving
    },
  }
}
