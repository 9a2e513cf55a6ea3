import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

/**
 * The thread of `guardEventLoop`: watches a number that the main thread's event loop raises. It sleeps without an event loop of
 * its own, and time in which it slept too long itself (a frozen process, a machine without time for it) does not count.
 */
const { beats, blockedMs } = workerData as { readonly beats: Int32Array; readonly blockedMs: number }
const lookMs = 250
const lateMs = 500

const pause = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
let seen = -1
let stillMs = 0
for (let before = performance.now(); ; ) {
  Atomics.wait(pause, 0, 0, lookMs)
  const now = performance.now()
  const ranOnTime = now - before < lookMs + lateMs
  const moved = Atomics.load(beats, 0)
  // Before the first beat the main thread may still be loading its modules.
  stillMs = moved === seen && seen > 0 && ranOnTime ? stillMs + (now - before) : 0
  seen = moved
  before = now
  if (stillMs <= blockedMs) continue
  writeSync(
    2,
    `the event loop has stood still for ${Math.round(stillMs)} ms: something computes without end. The process is ended so that it is started again\n`,
  )
  process.kill(process.pid, 'SIGKILL')
}
