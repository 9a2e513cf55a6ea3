import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Child } from '@interlock/example-flights'
import { Unavailable } from '../errors.ts'

/** A child process that speaks JSON lines on its output. */
export interface Running {
  /** First line of its output. */
  readonly first: Promise<Record<string, unknown>>
  /** Calls `take` with every later line. */
  onLine(take: (line: Record<string, unknown>) => void): void
  write(line: string): void
  stop(): Promise<void>
  /** Resolves with a sentence when it has ended, whoever ended it. */
  readonly ended: Promise<string>
}

const startMs = 30_000
/** Longer than a service of ours may take to end. */
const stopMs = 12_000

/**
 * Starts a child with this Node. Ends the wait for its first line with a sentence when it dies or stays silent.
 *
 * @param logFile takes what it says on standard error
 */
export function start(name: string, { args, env }: Child, logFile?: string): Running {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(process.execPath, [...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-2_000)
  })
  if (logFile !== undefined) child.stderr.pipe(createWriteStream(logFile, { mode: 0o600 }))
  child.stdin.on('error', () => {
    // It has ended already; whoever waits for it hears of that by `close`.
  })
  const takers: ((line: Record<string, unknown>) => void)[] = []
  const first = Promise.withResolvers<Record<string, unknown>>()
  const late = setTimeout(
    () => first.reject(new Unavailable(`${name} said nothing within ${startMs / 1000} s. ${complaint}`)),
    startMs,
  )
  first.promise.catch(() => undefined).finally(() => clearTimeout(late))
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>
    first.resolve(line)
    for (const take of takers) take(line)
  })
  const ended = new Promise<string>((resolve) => {
    child.on('close', (code) => {
      const why = `${name} ended with ${code}. ${complaint}`
      first.reject(new Unavailable(why))
      resolve(why)
    })
  })
  return {
    first: first.promise,
    ended,
    onLine: (take) => takers.push(take),
    write: (line) => child.stdin.write(`${line}\n`),
    async stop() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
      await ended
      clearTimeout(timer)
    },
  }
}
