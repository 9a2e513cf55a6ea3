import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Config, loadConfig } from '../config.ts'
import { agentHolder, keysetFile, makeKeys, ownKey, publicKeys } from './keys.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})
function newConfig(environment = 'local'): Config {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-keys-'))
  folders.push(folder)
  return loadConfig(undefined, { INTERLOCK_DATA: folder, INTERLOCK_ENVIRONMENT: environment })
}

test('keys are made once, readable by their owner alone, and a second run changes nothing', async () => {
  const config = newConfig()
  const first = await makeKeys(config)
  expect(first.made).toEqual(['root', 'governor', 'fleet', 'agent-local', 'notifier', 'author', 'approver'])
  const before = readdirSync(config.keys).map((name) => readFileSync(join(config.keys, name), 'utf8'))
  const second = await makeKeys(config)
  expect(second).toMatchObject({ made: [], elsewhere: [], keyset: first.keyset })
  expect(readdirSync(config.keys).map((name) => readFileSync(join(config.keys, name), 'utf8'))).toEqual(before)
  const open = readdirSync(config.keys).filter((name) => (statSync(join(config.keys, name)).mode & 0o077) !== 0)
  expect(open.toSorted()).toEqual(['keyset.dsse.json', 'root.pub.pem'])
})

test('a key that was moved to its service is not made anew; who is new gets one, in a newer keyset', async () => {
  const config = newConfig()
  const { keyset } = await makeKeys(config)
  rmSync(join(config.keys, 'governor.pem'))
  const more = { ...config, people: [...config.people, { id: 'third', may: ['on-call' as const] }] }
  const next = await makeKeys(more)
  expect([next.made, next.elsewhere, next.keyset.version]).toEqual([['third'], ['governor'], keyset.version + 1])
  expect(next.keyset.keys.find(({ holder }) => holder === 'governor')).toEqual(
    keyset.keys.find(({ holder }) => holder === 'governor'),
  )
})

test('without the root key no keyset is made where one is known', async () => {
  const config = newConfig()
  await makeKeys(config)
  rmSync(join(config.keys, 'root.pem'))
  await expect(makeKeys(config)).rejects.toThrow(/holds a keyset and no root key/)
})

test('a service reads its own key and the public files, and says which file it misses', async () => {
  const config = newConfig()
  const made = await makeKeys(config)
  const machine = newConfig()
  await expect(ownKey(machine, agentHolder(machine))).rejects.toThrow(/agent-local\.pem: is not there.*keys make/)
  await expect(publicKeys(machine)).rejects.toThrow(/root\.pub\.pem and keyset\.dsse\.json are not there/)
  await makeKeys(machine)
  for (const name of readdirSync(machine.keys)) rmSync(join(machine.keys, name))
  for (const name of ['agent-local.pem', 'root.pub.pem', keysetFile]) {
    renameSync(join(config.keys, name), join(machine.keys, name))
  }
  const { entry } = await ownKey(machine, agentHolder(machine))
  expect(entry).toEqual(made.keyset.keys.find(({ holder }) => holder === 'agent-local'))
  expect(await publicKeys(machine)).toMatchObject({ rootKey: made.rootKey, keyset: made.keyset })
})

test('a keyset that another root signed, that was changed, or of another environment is refused', async () => {
  const [config, other, elsewhere] = [newConfig(), newConfig(), newConfig('production')]
  for (const each of [config, other, elsewhere]) await makeKeys(each)
  const file = join(config.keys, keysetFile)
  const envelope = readFileSync(file, 'utf8')
  writeFileSync(file, readFileSync(join(other.keys, keysetFile)))
  await expect(publicKeys(config)).rejects.toThrow(/is not signed by the root key/)
  const changed = JSON.parse(envelope) as { payload: string }
  const payload = Buffer.from(changed.payload, 'base64').toString('utf8').replace('"version":1', '"version":9')
  writeFileSync(file, envelope.replace(changed.payload, Buffer.from(payload).toString('base64')))
  await expect(publicKeys(config)).rejects.toThrow(/is not signed by the root key/)
  writeFileSync(file, envelope)
  await expect(publicKeys({ ...config, environment: 'production' })).rejects.toThrow(
    /is of environment "local", and interlock\.yaml says "production"/,
  )
})

test('a keyset that runs out says when; made again without a word it keeps its end, and with one it is a newer version', async () => {
  const config = newConfig()
  const first = await makeKeys(config, 1_900_000_000_000)
  expect(first.keyset).toMatchObject({ version: 1, expires: 1_900_000_000_000 })
  expect((await makeKeys(config)).keyset).toEqual(first.keyset)
  expect((await makeKeys(config, 1_900_000_086_400)).keyset).toMatchObject({ version: 2, expires: 1_900_000_086_400 })
  expect((await publicKeys(config)).keyset.expires).toBe(1_900_000_086_400)
})
