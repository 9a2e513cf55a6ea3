import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Entry,
  type Hash,
  type Heartbeat,
  type KeyEntry,
  keyIdOf,
  signerOf,
  verifyHeartbeat,
} from '@interlock/contracts'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'
import { runHeartbeat } from './heartbeat.ts'
import { Progress } from './heartbeat-progress.ts'
import { call, unsafeAddress } from './https-call.ts'
import { openSqliteLog } from './sqlite-log.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const spki = publicKey.export({ type: 'spki', format: 'der' })
const key: KeyEntry = {
  keyId: keyIdOf(spki),
  publicKey: spki.toString('base64'),
  roles: ['service'],
  holder: 'evaluator',
  may: [],
}

async function watcher(answer: (nth: number) => number | null) {
  const beats: Heartbeat[] = []
  let nth = 0
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const verified = verifyHeartbeat(Buffer.concat(parts), [key])
      if (verified.ok) beats.push(verified.value)
      const status = answer(++nth)
      if (status !== null) response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    beats,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

test('each second a signed beat goes to every watcher and onto the log; one that hangs keeps nobody waiting; the last says goodbye', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-beat-'))
  const log = openSqliteLog({ folder })
  await log.createTopic('heartbeats', { partitions: 1 })
  await log.createTopic('in', { partitions: 1 })
  for (let nth = 0; nth < 7; nth++) await log.append('in', 0, { value: Buffer.from('x') })
  const [good, hanging] = [await watcher(() => 204), await watcher(() => null)]
  const progress = new Progress(systemClock)
  progress.assigned('evaluator', 3)
  const entry = { prev: 7n, caughtUp: false } as Entry
  const chain = '' as Hash
  progress.moved('evaluator', 3, { seq: 9n, at: 0, time: 5, chain, positions: new Map([['in/0', 3n]]) }, entry)
  const stop = new AbortController()
  const running = runHeartbeat(
    {
      environment: 'test',
      component: 'evaluator',
      signer: signerOf(privateKey),
      watchers: [{ url: hanging.url }, { url: good.url }],
      log,
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      progress,
    },
    stop.signal,
  )
  try {
    await systemClock.sleep(3_300)
    stop.abort()
    await running
    expect(good.beats.length).toBeGreaterThanOrEqual(4)
    expect(good.beats.map(({ beat }) => beat)).toEqual(good.beats.map((_, index) => index + 1))
    expect(good.beats.map(({ leaving }) => leaving)).toEqual([...good.beats.slice(1).map(() => false), true])
    // Its beats are not piled up: the next is sent once the one before was answered, or given up.
    expect(hanging.beats.length).toBeLessThan(good.beats.length)
    const shard = good.beats.at(-2)!.shards[0]
    expect(shard).toMatchObject({ processor: 'evaluator', shard: 3, owned: true, seq: 9, time: 5, voids: 1, behind: 4 })
    expect(good.beats[0]!.process.heapLimitBytes).toBeGreaterThan(good.beats[0]!.process.heapBytes)
    const { end } = await log.bounds('heartbeats', 0)
    expect(Number(end)).toBeGreaterThanOrEqual(4)
    for await (const { records } of log.read({ topic: 'heartbeats', partition: 0, from: 0n, to: end })) {
      for (const record of records) {
        expect(Buffer.from(record.key!).toString()).toBe('evaluator')
        expect(verifyHeartbeat(record.value!, [key])).toMatchObject({ ok: true })
      }
    }
  } finally {
    good.close()
    hanging.close()
    await log.close()
    await rm(folder, { recursive: true })
  }
})

test('a call names host and reason when there is no answer, and plain http goes to this machine only', async () => {
  const silent = await watcher(() => null)
  await expect(call({ url: new URL(silent.url), body: Buffer.from('x'), timeoutMs: 200 })).rejects.toThrow(
    /^127\.0\.0\.1:\d+: no answer within 200 ms$/,
  )
  silent.close()
  await expect(call({ url: new URL('http://127.0.0.1:1/'), timeoutMs: 500 })).rejects.toThrow(/ECONNREFUSED/)
  for (const url of ['http://127.0.0.1:7171', 'http://localhost:1', 'http://[::1]:1', 'https://watch.example']) {
    expect(unsafeAddress(new URL(url)), url).toBeNull()
  }
  for (const url of ['http://10.0.0.1', 'http://127.0.0.1.example.com', 'http://0.0.0.0', 'ftp://127.0.0.1']) {
    expect(unsafeAddress(new URL(url)), url).toMatch(/use https/)
  }
})
