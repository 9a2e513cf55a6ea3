/**
 * The router as a process of its own.
 *
 *   node src/router-main.ts --artifacts <folder> --state <file> [--port 0] [--seed 1] [--shadow-sample 0.25] [--allow-faults]
 *
 * From the environment: ROUTER_ADMIN_TOKEN (needed), INGEST_URL and INGEST_TOKEN (without a URL, events are only counted).
 * Prints one JSON line once it listens: {"listening": "http://127.0.0.1:PORT"}. SIGTERM ends it cleanly.
 */
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { Emitter } from '@interlock/client'
import { loadArtifacts } from './artifacts.ts'
import type { Emit } from './event.ts'
import { createRouter } from './router.ts'
import { StateStore } from './router-state.ts'
import { createServing } from './serving.ts'

const { values } = parseArgs({
  options: {
    artifacts: { type: 'string' },
    state: { type: 'string' },
    port: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    'shadow-sample': { type: 'string', default: '0.25' },
    'allow-faults': { type: 'boolean', default: false },
  },
})

const drainMs = 3_000
/** An event that waits longer than a pane comes late, so a message does not wait long to be filled. */
const sending = { lingerMs: 50, maxBuffered: 60_000 } as const

const folder = needed('--artifacts', values.artifacts)
const { loaded, refused } = loadArtifacts(folder)
for (const { name, reason } of refused) console.error(`router: ${name} is not loaded: ${reason}`)
const first = loaded[0]
if (first === undefined) {
  throw new Error(
    `router: ${folder} holds no model that matches its manifest\n  Make some: node src/train-main.ts ${folder}`,
  )
}

const emitter = emitterFromEnvironment()
const initial = {
  generation: 0,
  stable: first.manifest.digest,
  candidate: null,
  share: 0,
  shadow: false,
  fallback: false,
}
const server = createRouter({
  loaded,
  refused,
  state: new StateStore(
    needed('--state', values.state),
    initial,
    new Set(loaded.map(({ manifest }) => manifest.digest)),
  ),
  serving: createServing({
    loaded,
    emit: emitter.emit,
    seed: Number(values.seed),
    shadowSample: Number(values['shadow-sample']),
    now: Date.now,
  }),
  adminToken: needed('ROUTER_ADMIN_TOKEN in the environment', process.env.ROUTER_ADMIN_TOKEN),
  allowFaults: values['allow-faults'],
  emitted: () => emitter.counts(),
})
server.listen(Number(values.port), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(JSON.stringify({ listening: `http://127.0.0.1:${port}` }))
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close()
    server.closeIdleConnections()
    emitter.close(drainMs).then(() => {
      console.error(`router: stopped; events ${JSON.stringify(emitter.counts())}`)
      process.exit(0)
    })
  })
}

/** What became of the events, for /admin/state and for the last word. */
type Sending = {
  readonly emit: Emit
  counts(): Readonly<Record<string, number | string | null>>
  close(deadlineMs: number): Promise<void>
}

/** Sends to INGEST_URL by Interlock's client; without one, counts what would have been sent. */
function emitterFromEnvironment(): Sending {
  const { INGEST_URL: url, INGEST_TOKEN: token = '' } = process.env
  if (url === undefined || url === '') {
    console.error('router: INGEST_URL is not set, so events are counted and not sent')
    let unsent = 0
    return {
      emit: (events) => {
        unsent += events.length
      },
      counts: () => ({ unsent }),
      close: async () => undefined,
    }
  }
  const emitter = new Emitter({ url, topic: 'predictions', kind: 'prediction', token, format: 'json', ...sending })
  return {
    emit: (events) => {
      for (const event of events) emitter.emit(event)
    },
    counts: () => {
      const { dropped, ...counts } = emitter.counts()
      return { ...counts, dropped: Object.values(dropped).reduce((sum, count) => sum + count, 0) }
    },
    close: (deadlineMs) => emitter.close(deadlineMs),
  }
}

function needed(name: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value
  console.error(
    `router: ${name} is missing\n  usage: ROUTER_ADMIN_TOKEN=… node src/router-main.ts --artifacts <folder> --state <file>`,
  )
  process.exit(2)
}
