import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** The command line itself, as a user starts it. */
export const main = resolve(import.meta.dirname, '../../packages/cli/src/main.ts')

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** It is killed, by its id, after so long. */
  readonly withinMs?: number
  readonly onLine?: (line: string) => void
}

/** Runs one command of the CLI to its end. Never on a terminal: its outputs are pipes. */
export async function interlock(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env = {}, withinMs = 45_000, onLine } = options
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), ...env },
    ...(cwd === undefined ? {} : { cwd }),
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), withinMs)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
  })
  if (onLine !== undefined) createInterface({ input: child.stdout }).on('line', onLine)
  const code = await new Promise<number | null>((done) => child.on('close', done))
  clearTimeout(limit)
  if (code === null)
    throw new Error(`interlock ${args.join(' ')} did not end within ${withinMs} ms\n${stdout}${stderr}`)
  return { code, stdout, stderr }
}

/** One JSON document on one line, or the test fails: that is what `--json` promises. */
export function documentOf({ stdout }: Ran): Record<string, unknown> {
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (lines.length !== 1) throw new Error(`${lines.length} lines where one document is promised:\n${stdout}`)
  return JSON.parse(lines[0] as string) as Record<string, unknown>
}

/** `interlock up` as a process. */
export interface Up {
  readonly child: ChildProcess
  readonly url: string
  /** Token of this start. */
  token(): Promise<string>
  /** What it printed so far, a line an event. */
  readonly events: readonly Record<string, unknown>[]
  readonly stderr: () => string
  /** Ends it as an operator does; the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  readonly ended: Promise<number | null>
}

/** Starts `interlock up --json` without waiting for it. */
export function startUp(config: string, port: number, env: Readonly<Record<string, string>>): Up {
  const child = spawn(process.execPath, [main, 'up', '--config', config, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), ...env },
  })
  const events: Record<string, unknown>[] = []
  let complaint = ''
  createInterface({ input: child.stdout }).on('line', (line) => {
    events.push(JSON.parse(line) as Record<string, unknown>)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-4_000)
  })
  const ended = new Promise<number | null>((done) => child.on('close', done))
  const data = join(resolve(config, '..'), 'data')
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    token: async () => (JSON.parse(await readFile(join(data, 'endpoint.json'), 'utf8')) as { token: string }).token,
    events,
    stderr: () => complaint,
    ended,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

/** Starts it and waits until it is up and has written its endpoint. */
export async function runningUp(config: string, port: number, env: Readonly<Record<string, string>>): Promise<Up> {
  const up = startUp(config, port, env)
  await until(`up on ${port}`, () => {
    if (up.child.exitCode !== null) throw new Ended(`up ended with ${up.child.exitCode}: ${up.stderr()}`)
    return up.events.some(({ event }) => event === 'up')
  })
  return up
}

/** It ended where it should run: no waiting will help. */
class Ended extends Error {
  override readonly name = 'Ended'
}

/** @throws Error that says what was waited for */
export async function until(what: string, reached: () => boolean | Promise<boolean>, ms = 40_000): Promise<void> {
  const end = Date.now() + ms
  let last: unknown
  for (;;) {
    try {
      if (await reached()) return
    } catch (error) {
      if (error instanceof Ended) throw error
      last = error
    }
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`, { cause: last })
    await new Promise((tick) => setTimeout(tick, 100))
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

/** This environment without what would colour the output or configure Interlock. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(INTERLOCK_|FORCE_COLOR$|NO_COLOR$|CI$|VITEST|NODE_OPTIONS$)/.test(name),
    ),
  )
}
