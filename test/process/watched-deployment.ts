import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiClient, apiClient } from '@interlock/cli'
import type { DeploymentPage } from '@interlock/console'
import type { Prediction } from '@interlock/contracts'
import { type EventLog, openSqliteLog } from '@interlock/runtime'
import { freePort, interlock, type Ran, runningUp, type Up, until } from './interlock.ts'
import {
  loaded,
  predictions,
  type SmallDeployment,
  type SmallDeploymentOptions,
  writeDeployment,
} from './small-deployment.ts'
import { type StandInRouter, standInRouter } from './stand-in-router.ts'

/** A small deployment under a running `interlock up`, in a folder of its own. */
export interface WatchedDeployment {
  readonly folder: string
  readonly files: SmallDeployment
  readonly router: StandInRouter
  readonly up: Up
  readonly api: ApiClient
  /** Hashes that a second person approves. */
  readonly hashes: { readonly document: string; readonly policy: string }
  /** Runs a command of the CLI against it. */
  cli(...args: readonly string[]): Promise<Ran>
  page(): Promise<DeploymentPage>
  /** Posts to a door with the token of this start. */
  post(path: string, body: Uint8Array | string, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** Healthy rows that `send` has posted so far. */
  sent(): number
  /** Posts healthy rows, in JSON. */
  send(rows: number, changes?: Partial<Prediction>): Promise<readonly Prediction[]>
  /** Ends `up` as an operator does, and opens its log. */
  finish(): Promise<{ readonly code: number | null; readonly log: EventLog }>
  /** Ends what still runs and takes the folder away. */
  remove(): Promise<void>
}

/** Starts it; nothing is approved yet, so nothing is watched. */
export async function registeredDeployment(options: SmallDeploymentOptions = {}): Promise<WatchedDeployment> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-test-'))
  const router = await standInRouter(loaded)
  const port = await freePort()
  const files = await writeDeployment(folder, router.url, port, options)
  const env = { TOY_TOKEN: router.token }
  const up = await runningUp(files.config, port, env)
  let batches = 0
  let rowsSent = 0
  const waits = (): Record<string, unknown> | undefined => up.events.find(({ event }) => event === 'waits-for-approval')
  await until('the hashes to approve', () => waits() !== undefined)
  const hashes = waits() as { document: string; policy: string }
  const api = apiClient(files.data)
  const post: WatchedDeployment['post'] = async (path, body, headers = {}) =>
    fetch(new URL(path, up.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${await up.token()}`, ...headers },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    })
  return {
    folder,
    files,
    router,
    up,
    api,
    hashes,
    post,
    cli: (...args) => interlock(['--config', files.config, ...args], { env, cwd: folder }),
    page: async () => (await api.get<DeploymentPage>('/api/v1/deployments/toy')).body,
    send: async (rows, changes = {}) => {
      const batch = predictions(rows, ++batches, Date.now, `healthy-${batches}`, changes)
      const answer = await post('/ingest/predictions', JSON.stringify({ records: batch }), {
        'content-type': 'application/json',
      })
      if (answer.status !== 200) throw new Error(`ingest answered ${answer.status}: ${await answer.text()}`)
      rowsSent += batch.length
      return batch
    },
    sent: () => rowsSent,
    finish: async () => ({ code: await up.stop(), log: openSqliteLog({ folder: join(files.data, 'log') }) }),
    remove: async () => {
      if (up.child.exitCode === null) await up.stop('SIGKILL')
      router.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Approves registration and policy by the command line, and waits until healthy rows have become evidence. */
export async function watchedDeployment(options: SmallDeploymentOptions = {}): Promise<WatchedDeployment> {
  const toy = await registeredDeployment(options)
  try {
    for (const hash of [toy.hashes.document, toy.hashes.policy]) {
      const { code, stderr } = await toy.cli('approve', 'toy', hash)
      if (code !== 0) throw new Error(`the approval ended with ${code}: ${stderr}`)
    }
    await until('the first evidence', async () => {
      await toy.send(20)
      return ((await toy.page()).evidence?.totals ?? []).some(({ rows }) => rows > 0)
    })
    return toy
  } catch (error) {
    await toy.remove()
    throw error
  }
}
