import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { probeDeployment } from '@interlock/contracts'
import pino from 'pino'
import { afterEach, expect, test } from 'vitest'
import { type Config, loadConfig } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { makeKeys } from './keys.ts'
import { watcherAddresses } from './liveness.ts'
import { openWatcherParts, rulesFor } from './watcher.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})
function configOf(text: string): Config {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-liveness-'))
  folders.push(folder)
  const file = join(folder, 'interlock.yaml')
  writeFileSync(file, text)
  return loadConfig(file, {})
}
const two = `watchers:
  - { name: watcher-a, url: "http://127.0.0.1:7171" }
  - { name: watcher-b, url: "http://127.0.0.1:7172" }
`
const kafka = 'kafka: { brokers: ["127.0.0.1:9092"], shards: { profiler: 2, deployments: 4 } }\n'

test('keys for heartbeats and the probe are made only where they are wanted; those of the probe may ask about it alone', async () => {
  const plain = await makeKeys(configOf('environment: x\n'))
  expect(plain.keyset.keys.filter(({ roles }) => roles.includes('service'))).toEqual([])
  const { keyset } = await makeKeys(configOf(`${two}probe: true\n`))
  const services = keyset.keys.filter(({ roles }) => roles.includes('service')).map(({ holder }) => holder)
  expect(services).toEqual(['up', 'watcher-a', 'watcher-b'])
  const bound = keyset.keys.filter(({ only }) => only !== undefined)
  expect(bound.map(({ holder, only }) => [holder, only])).toEqual([
    ['interlock-probe-deployer', [probeDeployment]],
    ['interlock-probe-approver', [probeDeployment]],
  ])
  const cluster = await makeKeys(configOf(`${two}${kafka}probe: true\n`))
  expect(cluster.keyset.keys.map(({ holder }) => holder)).toEqual(
    expect.arrayContaining(['profiler', 'evaluator', 'console', 'probe', 'watcher-a']),
  )
})

test('a person or a watcher that is called like a service is refused: one name, one key', async () => {
  const people = 'people: [{ id: up, may: [deployer] }, { id: bea, may: [release-approver] }]\noperator: up\n'
  await expect(makeKeys(configOf(two + people))).rejects.toThrow('"up" is named twice')
})

test('of two watchers the second waits for the first, each watches the other, and the cluster’s shards are known to both', () => {
  const [a, b] = ['watcher-a', 'watcher-b'].map((name) => rulesFor(configOf(`${two}${kafka}probe: true\n`), name))
  expect(a).toMatchObject({ peer: 'watcher-b', waitForPeerMs: 0, probe: true })
  expect(b).toMatchObject({ peer: 'watcher-a', waitForPeerMs: 5_000 })
  expect(a?.shards).toEqual({ profiler: 2, evaluator: 4, governor: 4, fleet: 1 })
  expect(a?.components).toEqual([
    ...['profiler', 'evaluator', 'governor', 'agent-local', 'notifier', 'console', 'probe', 'watcher-b'],
  ])
  expect(rulesFor(configOf(two), 'watcher-a').components).toEqual(['up', 'watcher-b'])
  const fewer = rulesFor(configOf(`${two}${kafka}mustBeat: [governor]\npager: { repeatMinutes: 3 }\n`), 'watcher-a')
  expect(fewer.components).toEqual(['governor', 'watcher-b'])
  expect(fewer.times.repeatMs).toBe(180_000)
  const unknown = configOf(`${two}kafka: { brokers: ["127.0.0.1:9092"] }\n`)
  expect(() => rulesFor(unknown, 'watcher-a')).toThrow('Name kafka.shards.profiler')
})

test('mistakes about watchers are said in sentences', async () => {
  const open = configOf('watchers: [{ name: w, url: "http://10.0.0.1:1" }]\n')
  expect(() => watcherAddresses(open)).toThrow('plain http may only call this machine itself')
  const logger = pino({ level: 'silent' })
  await expect(openWatcherParts(configOf('environment: x\n'), undefined, logger)).rejects.toThrow('names no watchers')
  await expect(openWatcherParts(configOf(two), undefined, logger)).rejects.toThrow('Say --name watcher-a or --name')
  await expect(openWatcherParts(configOf(two), 'c', logger)).rejects.toThrow('its watchers are watcher-a, watcher-b')
  const tls = configOf('watchers: [{ name: w, url: "https://127.0.0.1:7443" }]\n')
  await makeKeys(tls)
  await expect(openWatcherParts(tls, 'w', logger)).rejects.toThrow('has no certFile')
})

test('nobody’s deployment may be called like the probe, which pages nobody', () => {
  const config = configOf('environment: x\n')
  mkdirSync(config.deployments)
  writeFileSync(join(config.deployments, 'x.yaml'), `deployment: ${probeDeployment}\n`)
  expect(() => readDeployments(config)).toThrow('this is the name of the synthetic deployment')
})
