import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KeyEntry, keyIdOf, signerOf } from '@interlock/contracts'
import { call, runHeartbeat, systemClock } from '@interlock/runtime'
import { openWatcher, watchTimes } from '@interlock/watcher'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { authority } from '../../services/governor/src/testing/certificate.ts'

test('heartbeats cross a network by TLS, to a watcher whose certificate the configured authority signed, and to no other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-watcher-tls-'))
  const own = authority('ours')
  const stranger = authority('theirs')
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const keyId = keyIdOf(spki)
  const key: KeyEntry = { keyId, publicKey: spki.toString('base64'), roles: ['service'], holder: 'up', may: [] }
  const logger = pino({ level: 'silent' })
  const signer = signerOf(privateKey)
  const watcher = await openWatcher({
    rules: {
      ...{ environment: 'test', self: 'w', components: ['up'], peer: null, waitForPeerMs: 0, shards: {}, probe: false },
      times: watchTimes,
    },
    listen: { host: '127.0.0.1', port: 0, tls: { cert: own.server.certificate, key: own.server.key } },
    keys: () => [key],
    ...{ signer, peers: [], receivers: [], stateFile: join(folder, 'state.json'), clock: systemClock, logger },
  })
  const stop = new AbortController()
  const url = `https://127.0.0.1:${watcher.port}`
  const beat = (ca: string, signal: AbortSignal) =>
    runHeartbeat(
      {
        ...{ environment: 'test', component: 'up', signer, log: null, clock: systemClock, logger },
        watchers: [{ url, ca }],
      },
      signal,
    )
  const ask = async (ca: string): Promise<{ stillSeconds: Record<string, number> }> =>
    JSON.parse((await call({ url: new URL('/v1/state', url), ca, timeoutMs: 2_000 })).text)
  const running = watcher.run(stop.signal)
  try {
    await expect(ask(stranger.ca)).rejects.toThrow(/certificate/)
    const fooled = new AbortController()
    const wrong = beat(stranger.ca, fooled.signal)
    await systemClock.sleep(4_000)
    fooled.abort()
    await wrong
    expect((await ask(own.ca)).stillSeconds['component up']).toBeGreaterThanOrEqual(3)
    const right = beat(own.ca, stop.signal)
    await systemClock.sleep(2_500)
    expect((await ask(own.ca)).stillSeconds['component up']).toBeLessThan(3)
    stop.abort()
    await right
  } finally {
    stop.abort()
    await running
    await rm(folder, { recursive: true })
  }
})
