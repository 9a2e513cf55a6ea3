/**
 * `interlock up` as a process, killed at random moments while events flow in over HTTP, and started again each time. What it
 * counted must equal a recount of the input that it acknowledged or kept, row for row.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiClient, loadConfig, readPolicy, requesterFor } from '@interlock/cli'
import { addPacked, type DeploymentId, layoutOf, type PersonId, type Prediction } from '@interlock/contracts'
import { openSqliteLog, seededRandom } from '@interlock/runtime'
import { expect, test } from 'vitest'
import { documentOf, freePort, interlock, runningUp, startUp, until } from '../process/interlock.ts'
import { accountOf, outsOf, recordsOf } from '../process/records.ts'
import { loaded, predictions, writeDeployment } from '../process/small-deployment.ts'
import { standInRouter } from '../process/stand-in-router.ts'

const seed = Number(process.env.SEED ?? 20_261_124)
const kills = Number(process.env.KILLS ?? 10)
const toy = 'toy' as DeploymentId

test(`after ${kills} kills at random moments every row is counted once, and replay gives the same bytes (seed ${seed})`, async () => {
  const random = seededRandom(seed)
  const folder = await mkdtemp(join(tmpdir(), 'interlock-kill-'))
  const router = await standInRouter(loaded)
  const port = await freePort()
  const written = await writeDeployment(folder, router.url, port)
  const config = loadConfig(written.config)
  const env = { TOY_TOKEN: router.token }
  let running = await runningUp(written.config, port, env)
  const acknowledged: string[] = []
  try {
    const api = apiClient(config.data)
    const approver = await requesterFor(config, api, 'approver')
    const policy = readPolicy(written.policy, 'author' as PersonId)
    await approver.submit(toy, { kind: 'approve', deployment: toy, object: policy.hash, comment: '' })

    let sent = 0
    const send = async (): Promise<void> => {
      const batch = predictions(50, seed + sent, Date.now, `e${sent}`)
      sent++
      const token = await running.token()
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
      // Not until all is up: the next kill may well come while it starts.
      running = startUp(written.config, port, env)
      await until('an answer', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok)
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
    for (const { value } of await recordsOf(log, 'predictions')) {
      const text = Buffer.from(value as Uint8Array).toString('utf8')
      input.push(...(JSON.parse(text) as { records: Prediction[] }).records)
    }
    const inLog = new Set(input.map(({ id }) => id))
    expect(acknowledged.filter((id) => !inLog.has(id))).toEqual([])

    const account = await accountOf(log)
    expect(account.taken).toBe(input.length)
    expect(account.counted + account.deadRows).toBe(input.length)

    // Recount from the raw input, with nothing of ours but the shape of the result: rows and errors by pane and producer.
    const spec = (await outsOf(log, 'governor', 'watch'))[0]?.spec
    if (spec === undefined) throw new Error('nothing was ever watched')
    const layout = layoutOf(spec)
    const counted = new Map<string, [rows: number, errors: number]>()
    const add = (key: string, rows: number, errors: number): void => {
      const [r, e] = counted.get(key) ?? [0, 0]
      counted.set(key, [r + rows, e + errors])
    }
    for (const out of await outsOf(log, 'profiler', 'counts')) {
      for (const { dimension, value, counts } of out.slices) {
        const vector = new Float64Array(layout.width)
        addPacked(counts, vector)
        add(`${out.pane} ${dimension} ${value}`, vector[layout.rows] ?? 0, vector[layout.status + 1] ?? 0)
      }
    }
    const expected = new Map<string, [number, number]>()
    // Rows before the deployment was watched are dead letters of their own reason; they come first in the log.
    for (const event of input.slice(account.deadRows)) {
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

  // Every decision is in the ledger once, through all the kills.
  const audited = await interlock(['audit', 'verify', '--config', written.config, '--json'])
  expect(documentOf(audited)).toMatchObject({ findings: [], complete: true })
  expect(audited.code).toBe(0)

  const { code, stdout } = await interlock(['replay', '--verify', '--config', written.config, '--json'])
  expect({ code, report: stdout.split('\n').filter((line) => !line.includes('"mismatches":[]')) }).toEqual({
    code: 0,
    report: [''],
  })
  await rm(folder, { recursive: true })
}, 240_000)
