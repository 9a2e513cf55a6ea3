import type { InputSource } from '@interlock/contracts'
import type { Progress } from './heartbeat-progress.ts'
import { keepRunning } from './keep-running.ts'
import type { Membership } from './membership.ts'
import type { Random } from './random.ts'
import { runShard } from './shard.ts'
import type { ShardOptions } from './shard-options.ts'

export interface HostOptions<State> extends Omit<ShardOptions<State>, 'shard' | 'inputs'> {
  readonly inputs: (shard: number) => readonly InputSource[]
  readonly membership: Membership
  /** For the jitter of backoff only. */
  readonly random: Random
  /** Is told how far each shard is, for heartbeats and the watchdog. */
  readonly progress?: Progress
}

/**
 * Runs the shards of a processor that membership assigns, until `signal` is aborted: then each finishes its step, writes
 * a snapshot and stops. A shard that is lost or cannot reach the log is owned again with backoff while assigned.
 *
 * @throws the first failure that a shard cannot get over; the other shards have been stopped by then
 */
export async function runHost<State>(options: HostOptions<State>, signal: AbortSignal): Promise<void> {
  const running = new Map<number, { readonly stop: AbortController; readonly done: Promise<void> }>()
  const failed = Promise.withResolvers<never>()
  const stopped = Promise.withResolvers<void>()

  const { progress } = options
  const { name } = options.processor
  const start = (shard: number): void => {
    const stop = new AbortController()
    const logger = options.logger.child({ processor: name, shard })
    const onValid: ShardOptions<State>['onValid'] = (point, entry) => {
      progress?.moved(name, shard, point, entry)
      options.onValid?.(point, entry)
    }
    const work = () =>
      runShard({ ...options, shard, inputs: options.inputs(shard), logger, onValid }, stop.signal).finally(() =>
        progress?.left(name, shard),
      )
    progress?.assigned(name, shard)
    const done = keepRunning({ ...options, logger }, `${name}/${shard}`, stop.signal, work)
    running.set(shard, { stop, done })
    done.finally(() => progress?.released(name, shard)).catch(() => undefined)
    done.then(
      () => running.delete(shard),
      (error: Error) => {
        running.delete(shard)
        logger.error({ error: error.message }, 'the shard stopped')
        failed.reject(error)
      },
    )
  }
  let isEnding = false
  const change = (owned: readonly number[]): void => {
    if (isEnding) return
    for (const [shard, { stop }] of running) if (!owned.includes(shard)) stop.abort()
    for (const shard of owned) {
      const before = running.get(shard)
      if (!before) start(shard)
      // Given away and back before it had ended: it starts anew when it has.
      else if (before.stop.signal.aborted) void before.done.then(() => signal.aborted || change(owned)).catch(() => {})
    }
  }

  const leave = options.membership.on(change)
  const onAbort = () => stopped.resolve()
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([stopped.promise, failed.promise])
  } finally {
    isEnding = true
    signal.removeEventListener('abort', onAbort)
    const ending = [...running.values()]
    for (const { stop } of ending) stop.abort()
    await Promise.allSettled(ending.map(({ done }) => done))
    // Only now: who owns next must not make the last entries void.
    leave()
  }
}
