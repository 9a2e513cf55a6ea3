import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Heartbeat,
  type KeyEntry,
  type KeyRole,
  keyIdOf,
  type Signer,
  signerOf,
  signHeartbeat,
} from '@interlock/contracts'
import { call, signWebhook, systemClock } from '@interlock/runtime'
import { pino } from 'pino'
import { test } from 'vitest'
import { openWatcher, type WatcherOptions } from './main.ts'
import { commandReceiver, type Message, webhookReceiver } from './pager.ts'
import { watchTimes } from './rules.ts'
import { Beating, rulesOf } from './testing.ts'

const secret = Buffer.from('a secret between the watcher and the pager')
type Finish = (work: () => void | Promise<void>) => void

/** A folder of the test's own, and what ends with it, last first. */
async function place(finished: Finish): Promise<{ readonly folder: string; readonly closing: (() => unknown)[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-watcher-'))
  const closing: (() => unknown)[] = []
  finished(async () => {
    for (const close of closing.splice(0).reverse()) await close()
    await rm(folder, { recursive: true, force: true })
  })
  return { folder, closing }
}
type Place = Awaited<ReturnType<typeof place>>

function keyOf(holder: string, role: KeyRole): { readonly signer: Signer; readonly entry: KeyEntry } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const entry = { keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles: [role], holder, may: [] }
  return { signer: signerOf(privateKey), entry }
}
const up = keyOf('up', 'service')
const self = keyOf('watcher-a', 'service')
const agent = keyOf('agent-x', 'agent')
const keys = [up.entry, self.entry, agent.entry]

/** A pager that counts what it takes, by id. */
async function pager({ closing }: Place, isUp: () => boolean = () => true) {
  const taken: Message[] = []
  const forged: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => {
      body += part.toString()
    })
    request.on('end', () => {
      const id = String(request.headers['webhook-id'])
      const expected = `v1,${signWebhook(secret, id, String(request.headers['webhook-timestamp']), body)}`
      if (expected !== request.headers['webhook-signature']) forged.push(id)
      if (isUp() && !taken.some((one) => one.id === id)) taken.push(JSON.parse(body) as Message)
      response.writeHead(isUp() ? 204 : 503).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise<void>((done) => server.close(() => done())))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/page`
  return { taken, forged, receiver: webhookReceiver({ url, secret, nowSeconds: () => 1 }) }
}

async function watching({ folder, closing }: Place, change: Partial<WatcherOptions> = {}) {
  const rules = rulesOf('watcher-a', {
    components: ['up'],
    peer: null,
    probe: false,
    shards: {},
    times: { ...watchTimes, startMs: 0, noticeMs: 1_500, pageMs: 2_500, movingMs: 1_400, calmMs: 1_500 },
  })
  const stop = new AbortController()
  const watcher = await openWatcher({
    rules,
    listen: { host: '127.0.0.1', port: 0, tls: null },
    keys: () => keys,
    signer: self.signer,
    peers: [],
    receivers: [],
    stateFile: join(folder, 'watcher.json'),
    clock: systemClock,
    logger: pino({ level: 'silent' }),
    ...change,
  })
  const running = watcher.run(stop.signal)
  let ended = false
  const end = async (): Promise<void> => {
    if (ended) return
    ended = true
    stop.abort()
    await running
  }
  closing.push(end)
  const url = (path: string) => new URL(`http://127.0.0.1:${watcher.port}${path}`)
  const send = (body: Uint8Array) =>
    call({ url: url('/v1/heartbeats'), body, contentType: 'application/json', timeoutMs: 2_000 })
  return { url, send, end }
}

/** Signs the beats of one process. */
function signing(): { readonly beating: Beating; readonly signed: (change?: Partial<Heartbeat>) => Uint8Array } {
  const beating = new Beating('up')
  return { beating, signed: (change = {}) => signHeartbeat(beating.beat(Date.now(), change), up.signer) }
}

async function until(reached: () => boolean): Promise<void> {
  for (let tries = 0; !reached(); tries++) {
    if (tries > 300) throw new Error('waited 30 s')
    await systemClock.sleep(100)
  }
}

test.concurrent('the door takes what a service signed, once, and says why it does not take the rest', async ({
  expect,
  onTestFinished,
}) => {
  const here = await place(onTestFinished)
  const { signed, beating } = signing()
  const { send, url } = await watching(here)
  const beat = signed()
  expect((await send(beat)).status).toBe(204)
  await systemClock.sleep(1_200)
  expect(await send(beat)).toMatchObject({ status: 409, text: expect.stringContaining('was heard already') })
  expect(await send(signHeartbeat(beating.beat(1), agent.signer))).toMatchObject({
    status: 422,
    text: expect.stringContaining("the key that signed is agent-x's"),
  })
  const vouching = new Beating('agent-x').whole(1)
  expect(await send(signHeartbeat(vouching, agent.signer))).toMatchObject({
    status: 422,
    text: expect.stringContaining('may speak for its own process only'),
  })
  expect((await send(signed({ environment: 'elsewhere' }))).status).toBe(409)
  expect((await send(Buffer.from('{"hello":1}'))).status).toBe(422)
  expect((await send(Buffer.alloc(300_000, 32))).status).toBe(413)
  expect((await fetch(url('/v1/heartbeats'))).status).toBe(405)
  expect((await fetch(url('/etc/passwd'))).status).toBe(404)
  const state = (await (await fetch(url('/v1/state'))).json()) as Record<string, unknown>
  expect(state).toMatchObject({ watcher: 'watcher-a', environment: 'production', unsent: 0 })
})

test.concurrent('one page, signed, for what fell silent; a restart of the watcher neither forgets nor repeats it; one word at its end', async ({
  expect,
  onTestFinished,
}) => {
  const here = await place(onTestFinished)
  const { signed } = signing()
  const { taken, forged, receiver } = await pager(here)
  const first = await watching(here, { receivers: [receiver] })
  expect((await first.send(signed())).status).toBe(204)
  await until(() => taken.length > 0)
  expect(taken[0]).toMatchObject({ kind: 'open', status: 'firing', watcher: 'watcher-a', units: ['component up'] })
  await systemClock.sleep(1_200) // it remembers that the page arrived
  await first.end()
  const second = await watching(here, { receivers: [receiver] })
  await systemClock.sleep(3_500)
  expect(taken).toHaveLength(1)
  const beats = setInterval(() => void second.send(signed()), 400)
  here.closing.push(() => clearInterval(beats))
  await until(() => taken.length > 1)
  expect(taken[1]).toMatchObject({ kind: 'resolved', status: 'resolved', dedupeKey: taken[0]!.dedupeKey })
  expect(forged).toEqual([])
})

test.concurrent('a pager that is down hears of it when it is up again, the beginning before the end', async ({
  expect,
  onTestFinished,
}) => {
  const here = await place(onTestFinished)
  const { signed } = signing()
  let isUp = false
  const { taken, receiver } = await pager(here, () => isUp)
  const { send } = await watching(here, { receivers: [receiver] })
  await send(signed())
  await systemClock.sleep(4_000)
  const beats = setInterval(() => void send(signed()), 400)
  here.closing.push(() => clearInterval(beats))
  await systemClock.sleep(3_000)
  expect(taken).toEqual([])
  isUp = true
  await until(() => taken.length === 2)
  expect(taken.map(({ kind }) => kind)).toEqual(['open', 'resolved'])
})

test.concurrent('a page that was remembered and not told before a crash is told at the next start, under its old id', async ({
  expect,
  onTestFinished,
}) => {
  const here = await place(onTestFinished)
  const { signed } = signing()
  const { taken, receiver } = await pager(here)
  const first = await watching(here)
  await first.send(signed())
  await first.end()
  const file = join(here.folder, 'watcher.json')
  const state = JSON.parse(await readFile(file, 'utf8'))
  const page = {
    id: 'production/watcher-a/9/1',
    incident: 'production/watcher-a/9',
    kind: 'open',
    at: 1,
    units: [],
    sentence: 'x',
  }
  await writeFile(file, JSON.stringify({ ...state, outbox: [page] }))
  await watching(here, { receivers: [receiver] })
  await until(() => taken.length > 0)
  expect(taken[0]!.id).toBe('production/watcher-a/9/1')
})

test.concurrent('a program of this machine gets the page as JSON, and one that fails is no delivery', async ({
  expect,
  onTestFinished,
}) => {
  const here = await place(onTestFinished)
  const file = join(here.folder, 'told.json')
  const message = { id: 'i', sentence: 'No sign of life.' } as Message
  await commandReceiver(['/bin/sh', '-c', 'cat > "$0"', file]).tell(message)
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(message)
  await expect(commandReceiver(['/bin/sh', '-c', 'exit 7']).tell(message)).rejects.toThrow('ended with 7')
  await expect(commandReceiver(['/does/not/exist']).tell(message)).rejects.toThrow('ENOENT')
})

test.concurrent('heartbeats and pages never cross a network in the clear', async ({ expect, onTestFinished }) => {
  const here = await place(onTestFinished)
  await expect(watching(here, { listen: { host: '0.0.0.0', port: 0, tls: null } })).rejects.toThrow('without TLS')
  expect(() => webhookReceiver({ url: 'http://pager.example/x', secret, nowSeconds: () => 1 })).toThrow('use https')
})
