import { mkdtempSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LoadedModel, loadArtifacts, type Manifest, writeArtifacts } from './artifacts.ts'
import type { PredictionEvent } from './event.ts'
import type { FlightRequest, Version } from './features.ts'
import { createRouter } from './router.ts'
import { type RouterState, StateStore } from './router-state.ts'
import { createServing } from './serving.ts'
import { train } from './training.ts'

/** A router that listens on a free port of 127.0.0.1, in this process. */
export type RunningRouter = {
  readonly url: string
  /** Everything it emitted, in order. */
  readonly events: PredictionEvent[]
  readonly loaded: readonly LoadedModel[]
  state(): Promise<RouterState & { readonly etag: string }>
  put(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** Replaces the state at the etag that is in force now; throws if it was not taken. */
  order(wish: Omit<RouterState, 'stable' | 'candidate'> & { stable: Version; candidate: Version | null }): Promise<void>
  predict(rows: readonly FlightRequest[]): Promise<Response>
  stop(): Promise<void>
}

/** The admin token of routers started here. */
export const testToken = 'token-of-the-tests'

const tenDays = { everyNth: 8, days: { from: 0, to: 10 }, heldOutDays: { from: 10, to: 12 } }

/** Trains on little (an eighth of ten days) and writes the artifacts into a new temporary folder. */
export async function smallArtifacts(): Promise<{ folder: string; manifests: Readonly<Record<Version, Manifest>> }> {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-flights-'))
  return { folder, manifests: await writeArtifacts(folder, await train(tenDays)) }
}

/** Starts a router over the artifacts of a folder; its state file lies there too, so that a second one comes back to it. */
export async function startRouter(folder: string): Promise<RunningRouter> {
  const { loaded, refused } = loadArtifacts(folder)
  const events: PredictionEvent[] = []
  const known = new Set<string>(loaded.map(({ manifest }) => manifest.digest))
  const digestOf = (version: Version) => loaded.find(({ model }) => model.version === version)!.manifest.digest
  const initial: RouterState = {
    generation: 0,
    stable: digestOf('v1'),
    candidate: null,
    share: 0,
    shadow: false,
    fallback: false,
  }
  const server = createRouter({
    loaded,
    refused,
    state: new StateStore(join(folder, 'router-state.json'), initial, known),
    serving: createServing({
      loaded,
      emit: (batch) => {
        events.push(...batch)
      },
      seed: 1,
      shadowSample: 0.5,
      now: Date.now,
    }),
    adminToken: testToken,
    allowFaults: true,
    emitted: () => ({ emitted: events.length }),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const running: RunningRouter = {
    url,
    events,
    loaded,
    state: async () => (await (await fetch(`${url}/admin/state`)).json()) as RouterState & { etag: string },
    put: (path, body, headers = {}) =>
      fetch(url + path, {
        method: 'PUT',
        headers: { authorization: `Bearer ${testToken}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    async order({ stable, candidate, ...rest }) {
      const { etag } = await running.state()
      const wish = { ...rest, stable: digestOf(stable), candidate: candidate === null ? null : digestOf(candidate) }
      const response = await running.put('/admin/state', wish, { 'if-match': etag })
      if (response.status !== 200) throw new Error(`the router answered ${response.status}: ${await response.text()}`)
    },
    predict: (rows) => fetch(`${url}/predict`, { method: 'POST', body: JSON.stringify({ rows }) }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return running
}
