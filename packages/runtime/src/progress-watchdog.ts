import { Worker } from 'node:worker_threads'
import type { Clock } from './clock.ts'
import type { Progress } from './heartbeat-progress.ts'

/** What is too long, and too much (docs/reliability.md F28, F30). */
export const watchdogLimits = {
  /** An owned shard makes an entry each second, with nothing in it if need be. */
  shardSilentMs: 15_000,
  loopBlockedMs: 5_000,
  /** From this part of the heap on nothing more is taken in … */
  pauseAtHeap: 0.7,
  /** … and if that does not help for so long, or the heap reaches its cap, the process ends before it is ended. */
  pausedMs: 60_000,
  heapCap: 0.85,
} as const

const lookEveryMs = 1_000
/** A reading beyond the cap may be garbage that is about to be collected; so many in a row are not. */
const readingsBeyondCap = 2
/** Time that passed while this process was not running at all counts as no more than two looks. */
const countedAtMostMs = 2 * lookEveryMs

export interface WatchdogOptions {
  readonly progress: Progress
  readonly clock: Clock
  /** Part of the heap that is used, 0 … 1. */
  readonly heapPart: () => number
  readonly limits?: Partial<Readonly<Record<keyof typeof watchdogLimits, number>>>
}

/** The process must end: whoever supervises it starts it again, and another one may take its shards meanwhile. */
export class MustRestart extends Error {
  override readonly name = 'MustRestart'
}

/**
 * Looks at progress, not at "running", each second until `signal` is aborted. Time counts only while this process ran: one that
 * was frozen, or asleep with its machine, is judged by what it does afterwards.
 *
 * @throws MustRestart with a sentence
 */
export async function runWatchdog(options: WatchdogOptions, signal: AbortSignal): Promise<void> {
  const { progress, clock } = options
  const limits = { ...watchdogLimits, ...options.limits }
  const still = new Map<string, { readonly seq: number | null; ms: number }>()
  let before = clock.monotonic()
  let pausedMs = 0
  let beyondCap = 0
  while (!signal.aborted) {
    await clock.sleep(lookEveryMs, signal)
    const now = clock.monotonic()
    const ran = Math.min(now - before, countedAtMostMs)
    before = now

    for (const { processor, shard, owned, seq } of progress.list()) {
      const name = `${processor}/${shard}`
      const last = still.get(name)
      const ms = owned && last?.seq === seq ? last.ms + ran : 0
      still.set(name, { seq, ms })
      if (ms > limits.shardSilentMs) {
        throw new MustRestart(
          `shard ${name} has made no valid entry for ${Math.round(ms / 1000)} s, although this process owns it:` +
            ' something hangs. The process ends so that it is started again',
        )
      }
    }

    const part = options.heapPart()
    beyondCap = part >= limits.heapCap ? beyondCap + 1 : 0
    if (beyondCap >= readingsBeyondCap) {
      throw new MustRestart(
        `${percent(part)} of the heap are in use, and at ${percent(limits.heapCap)} the process ends itself before it is ended in` +
          ' the middle of something. Give it more (NODE_OPTIONS=--max-old-space-size=…) if this goes on',
      )
    }
    pausedMs = part >= limits.pauseAtHeap ? pausedMs + ran : 0
    if (pausedMs > limits.pausedMs) {
      throw new MustRestart(
        `the heap has stood above ${percent(limits.pauseAtHeap)} for ${Math.round(pausedMs / 1000)} s although nothing was taken in.` +
          ' The process ends so that it is started again; give it more memory (NODE_OPTIONS=--max-old-space-size=…) if this goes on',
      )
    }
  }
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

/**
 * Ends the process, with a sentence and SIGKILL, when its event loop stands still for `blockedMs`: no timer of its own could.
 * A thread of its own looks, and counts only time in which it ran itself.
 *
 * @returns what ends the guard
 */
export function guardEventLoop(blockedMs: number = watchdogLimits.loopBlockedMs): () => void {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const worker = new Worker(new URL('./progress-watchdog-thread.ts', import.meta.url), {
    workerData: { beats, blockedMs },
    // Whatever the process was given (loaders of a test, memory limits) is not the thread's business.
    execArgv: [],
    env: {},
  })
  worker.unref()
  const timer = setInterval(() => Atomics.add(beats, 0, 1), loopBeatMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    void worker.terminate()
  }
}

const loopBeatMs = 250
