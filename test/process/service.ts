import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { main, plainEnvironment } from './interlock.ts'

/** One `interlock run <service>` as a process. */
export interface Service {
  readonly name: string
  readonly child: ChildProcess
  /** What it printed so far, a line an event: `ready`, and `owns` whenever its shards change. */
  readonly events: readonly Record<string, unknown>[]
  /** The last of what it logged. */
  readonly stderr: () => string
  /** Its line `ready`. Rejects when it ends before. */
  readonly ready: Promise<Record<string, unknown>>
  /** Shards of a processor that it said to own last. */
  owned(processor: string): readonly number[]
  /** Ends it as a supervisor does; the exit code, null where a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  readonly ended: Promise<number | null>
}

/**
 * Starts one service.
 *
 * @param env give each its own INTERLOCK_DATA (and INTERLOCK_KEYS with its own files only)
 */
export function startService(name: string, config: string, env: Readonly<Record<string, string>> = {}): Service {
  const child = spawn(process.execPath, [main, 'run', name, '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), ...env },
  })
  const events: Record<string, unknown>[] = []
  const ready = Promise.withResolvers<Record<string, unknown>>()
  ready.promise.catch(() => undefined)
  let complaint = ''
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as Record<string, unknown>
    events.push(event)
    if (event.event === 'ready') ready.resolve(event)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-8_000)
  })
  const ended = new Promise<number | null>((done) => child.on('close', done))
  ended.then((code) => ready.reject(new Error(`${name} ended with ${code}: ${complaint}`)))
  return {
    name,
    child,
    events,
    stderr: () => complaint,
    ready: ready.promise,
    owned(processor) {
      const last = events.findLast((one) => one.event === 'owns' && one.processor === processor)
      return (last?.shards as readonly number[] | undefined) ?? []
    },
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
    ended,
  }
}
