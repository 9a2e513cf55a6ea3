/**
 * `interlock up` as a process, killed at random moments while events flow in over HTTP, and started again each time. What it
 * counted must equal a recount of the input that it acknowledged or kept, row for row.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { apiClient, loadConfig, readPolicy, requesterFor } from '@interlock/cli'
import {
  addPacked,
  type CountsOut,
  type DeploymentId,
  decodeOut,
  layoutOf,
  type PersonId,
  type Prediction,
  type ProgressOut,
  shardLog,
  type WatchOut,
} from '@interlock/contracts'
import { beginningOfLog, type EventLog, openSqliteLog, seededRandom, validEntries } from '@interlock/runtime'
import { expect, test } from 'vitest'
import { predictions, standInRouter, writeDeployment } from './small-deployment.ts'

const main = resolve(import.meta.dirname, '../../packages/cli/src/main.ts')
const seed = Number(process.env.SEED ?? 20_261_124)
const kills = Number(process.env.KILLS ?? 10)
const toy = 'toy' as DeploymentId

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

function start(config: string): { child: ChildProcess; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [main, 'up', '--config', config, '--json'], {
    stdio: 'ignore',
    env: { ...process.env, TOY_TOKEN: 'x' },
  })
  return { child, ended: new Promise((done) => child.on('close', done)) }
}

async function until(what: string, reached: () => Promise<boolean>, ms = 60_000): Promise<void> {
  const end = Date.now() + ms
  while (!(await reached().catch(() => false))) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`)
    await new Promise((tick) => setTimeout(tick, 100))
  }
}

async function outs<Kind extends string>(log: EventLog, processor: string, kind: Kind) {
  const source = { topic: shardLog(processor), partition: 0 }
  const { end } = await log.bounds(source.topic, 0)
  const found = []
  for await (const { entry } of validEntries(log, source, beginningOfLog, end)) {
    for (const out of entry.outs) if (out.kind === kind) found.push(decodeOut(out))
  }
  return found
}

test(`after ${kills} kills at random moments every row is counted once, and replay gives the same bytes (seed ${seed})`, async () => {
  const random = seededRandom(seed)
  const folder = await mkdtemp(join(tmpdir(), 'interlock-kill-'))
  const router = await standInRouter()
  const port = await freePort()
  const file = await writeDeployment(folder, router.url, port)
  const config = loadConfig(file)
  let running = start(file)
  const acknowledged: string[] = []
  try {
    await until('up', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok)
    const api = apiClient(config.data)
    const approver = await requesterFor(config, api, 'approver')
    const policy = readPolicy(join(folder, 'deployments/toy.policy.yaml'), 'author' as PersonId)
    await approver.submit(toy, { kind: 'approve', deployment: toy, object: policy.hash, comment: '' })

    let sent = 0
    const send = async (): Promise<void> => {
      const batch = predictions(50, seed + sent, Date.now, `e${sent}`)
      sent++
      const token = (JSON.parse(await readFile(join(config.data, 'endpoint.json'), 'utf8')) as { token: string }).token
      const response = await fetch(`http://127.0.0.1:${port}/ingest/predictions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ records: batch }),
      })
      if (response.ok) acknowledged.push(...batch.map(({ id }) => id))
    }
    for (let kill = 0; kill < kills; kill++) {
      const moment = Date.now() + 200 + random() * 1_500
      while (Date.now() < moment) await send().catch(() => new Promise((tick) => setTimeout(tick, 20)))
      running.child.kill('SIGKILL')
      await running.ended
      running = start(file)
      await until('up again', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok)
    }
    for (let more = 0; more < 20; more++) await send()
    await new Promise((tick) => setTimeout(tick, 6_000))
    running.child.kill('SIGTERM')
    expect(await running.ended).toBe(0)
  } finally {
    running.child.kill('SIGKILL')
    router.close()
  }

  const log = openSqliteLog({ folder: join(config.data, 'log') })
  try {
    const input: Prediction[] = []
    const { begin, end } = await log.bounds('predictions', 0)
    for await (const { records } of log.read({ topic: 'predictions', partition: 0, from: begin, to: end })) {
      for (const { value } of records)
        input.push(
          ...(JSON.parse(Buffer.from(value as Uint8Array).toString('utf8')) as { records: Prediction[] }).records,
        )
    }
    const inLog = new Set(input.map(({ id }) => id))
    expect(acknowledged.filter((id) => !inLog.has(id))).toEqual([])

    const progress = (await outs(log, 'profiler', 'progress')) as ProgressOut[]
    const sum = (of: (one: ProgressOut) => number): number => progress.reduce((total, one) => total + of(one), 0)
    expect(sum(({ taken }) => taken)).toBe(input.length)
    expect(sum(({ counted }) => counted) + sum(({ dead }) => Object.values(dead).reduce((a, b) => a + b, 0))).toBe(
      input.length,
    )

    // Recount from the raw input, with nothing of ours but the shape of the result: rows and errors by pane and producer.
    const watch = (await outs(log, 'governor', 'watch')) as WatchOut[]
    const spec = watch[0]?.spec
    if (spec === undefined) throw new Error('nothing was ever watched')
    const layout = layoutOf(spec)
    const counted = new Map<string, [rows: number, errors: number]>()
    const add = (key: string, rows: number, errors: number): void => {
      const [r, e] = counted.get(key) ?? [0, 0]
      counted.set(key, [r + rows, e + errors])
    }
    for (const out of (await outs(log, 'profiler', 'counts')) as CountsOut[]) {
      for (const { dimension, value, counts } of out.slices) {
        const vector = new Float64Array(layout.width)
        addPacked(counts, vector)
        add(`${out.pane} ${dimension} ${value}`, vector[layout.rows] ?? 0, vector[layout.status + 1] ?? 0)
      }
    }
    const dead = sum(({ dead: one }) => Object.values(one).reduce((a, b) => a + b, 0))
    const expected = new Map<string, [number, number]>()
    // Rows before the deployment was watched are dead letters of their own reason; they come first in the log.
    for (const event of input.slice(dead)) {
      const pane = Math.floor(event.eventTimeMs / 1000) * 1000
      for (const key of [`${pane} producer ${event.producer}`, `${pane} segment:airport ${event.segments.airport}`]) {
        const [rows, errors] = expected.get(key) ?? [0, 0]
        expected.set(key, [rows + 1, errors + (event.status === 'error' ? 1 : 0)])
      }
    }
    expect(new Map([...counted].toSorted())).toEqual(new Map([...expected].toSorted()))
    expect(expected.size).toBeGreaterThan(20)
  } finally {
    await log.close()
  }

  const replay = spawn(process.execPath, [main, 'replay', '--verify', '--config', file, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let report = ''
  replay.stdout.on('data', (chunk: Buffer) => {
    report += chunk.toString('utf8')
  })
  const code = await new Promise((done) => replay.on('close', done))
  expect({ code, report: report.split('\n').filter((line) => !line.includes('"mismatches":[]')) }).toEqual({
    code: 0,
    report: [''],
  })
}, 240_000)
