/**
 * Shopify's toxiproxy between our processes and a broker: latency, resets, silence in one direction, narrow lines. Its
 * server is built once by Go into the cache that the broker's jars live in.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { madeOnce } from '../kafka/broker.ts'
import { freePort } from '../process/interlock.ts'

const version = '2.12.0'
const readyWithinMs = 10_000
const run = promisify(execFile)

/** Toxics by what they do to a line. Times in ms; `kilobytesPerS` is a whole number, so 1 (8 kbit/s) is the narrowest. */
export type Toxic =
  | { readonly kind: 'latency'; readonly latencyMs: number; readonly jitterMs: number }
  /** Every line is reset `afterMs` after it was opened. */
  | { readonly kind: 'reset'; readonly afterMs: number }
  /** Open at both ends, and nothing arrives in one direction: a half-open line, or a partition of one way. */
  | { readonly kind: 'silence'; readonly of: 'requests' | 'answers' }
  | { readonly kind: 'bandwidth'; readonly kilobytesPerS: number }

/** One proxied line. */
export interface Line {
  readonly name: string
  readonly port: number
  /** What is done to it now, apart from being cut. */
  poison(toxic: Toxic): Promise<void>
  /** Refuses and closes all connections until it heals. */
  cut(): Promise<void>
  /** Takes everything back. What was under way on a poisoned line is cut, as it would have been by then. */
  heal(): Promise<void>
}

export interface Toxiproxy {
  /** @param target port on the loopback; nothing need listen there yet */
  line(name: string, target: number): Promise<Line>
  stop(): Promise<void>
}

export const howToRunToxiproxy = [
  'NOT RUN: the tests behind toxiproxy. These make them run:',
  '  - Go 1.23 or later (go) on the path, and the Go module proxy within reach at the first run',
].join('\n')

/** A toxiproxy of our own, or null where Go is missing (and the console says so). */
export async function ownToxiproxy(): Promise<Toxiproxy | null> {
  let folder: string
  try {
    folder = await madeOnce(`toxiproxy-${version}`, build)
  } catch (error) {
    console.error(`\n${howToRunToxiproxy}\nWhat is missing here: ${(error as Error).message}\n`)
    return null
  }
  const port = await freePort()
  const child = spawn(join(folder, 'server'), ['-host', '127.0.0.1', '-port', String(port)], { stdio: 'ignore' })
  process.once('exit', () => child.kill('SIGKILL'))
  const call = api(`http://127.0.0.1:${port}`)
  for (const until = Date.now() + readyWithinMs; ; await sleep(50)) {
    const answered = await call('GET', '/version').catch(() => null)
    if (answered !== null) break
    if (child.exitCode !== null || Date.now() > until) throw new Error('toxiproxy did not start')
  }
  return {
    line: async (name, target) => {
      const port = await freePort()
      const proxy = { name, listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${target}`, enabled: true }
      await call('POST', '/proxies', proxy)
      return lineOf(call, proxy, port)
    },
    stop: () => stopped(child),
  }
}

async function build(folder: string): Promise<void> {
  await run('go', ['version']).catch(() => {
    throw new Error('there is no go on the path')
  })
  const program = `github.com/Shopify/toxiproxy/v2/cmd/server@v${version}`
  await run('go', ['install', program], { env: { ...process.env, GOBIN: folder } }).catch((error: Error) => {
    throw new Error(`Go did not build toxiproxy ${version}: ${error.message.slice(0, 500)}`)
  })
}

type Call = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<unknown>

function api(base: string): Call {
  return async (method, path, body) => {
    const answer = await fetch(base + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path} answered ${answer.status}: ${text}`)
    return text
  }
}

function lineOf(call: Call, proxy: { readonly name: string }, port: number): Line {
  const path = `/proxies/${proxy.name}`
  return {
    name: proxy.name,
    port,
    poison: async (toxic) => {
      for (const each of toxicsOf(toxic)) await call('POST', `${path}/toxics`, each)
    },
    cut: async () => {
      await call('POST', path, { enabled: false })
    },
    // Made anew: toxiproxy 2.12 may wait for ever when it takes a toxic from a line that still holds something back.
    heal: async () => {
      await call('DELETE', path)
      await call('POST', '/proxies', proxy)
    },
  }
}

/** As toxiproxy says it: `upstream` is what clients send. */
function toxicsOf(toxic: Toxic): readonly { readonly name: string; readonly [key: string]: unknown }[] {
  const both = (type: string, attributes: object) =>
    (['upstream', 'downstream'] as const).map((stream) => ({ name: `${type}-${stream}`, type, stream, attributes }))
  switch (toxic.kind) {
    case 'latency':
      return both('latency', { latency: toxic.latencyMs, jitter: toxic.jitterMs })
    case 'bandwidth':
      return both('bandwidth', { rate: toxic.kilobytesPerS })
    case 'reset':
      return [{ name: 'reset', type: 'reset_peer', stream: 'upstream', attributes: { timeout: toxic.afterMs } }]
    case 'silence': {
      const stream = toxic.of === 'requests' ? 'upstream' : 'downstream'
      return [{ name: 'silence', type: 'timeout', stream, attributes: { timeout: 0 } }]
    }
  }
}

/** Several as one: the ways to all brokers of a cluster. */
export function bundled(name: string, lines: readonly Line[]): Line {
  const all = async (what: (line: Line) => Promise<void>): Promise<void> => {
    await Promise.all(lines.map(what))
  }
  return {
    name,
    port: lines[0]?.port ?? 0,
    poison: (toxic) => all((line) => line.poison(toxic)),
    cut: () => all((line) => line.cut()),
    heal: () => all((line) => line.heal()),
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
