import { execFile, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { runAgent, setupFromEnvironment } from '@interlock/client/agent'
import { topics } from '@interlock/contracts'
import { systemClock } from '@interlock/runtime'
import { expect, test } from 'vitest'
import { commands, keys, mine, originals } from './command-mutants.ts'

const root = resolve(import.meta.dirname, '../..')
const example = join(root, 'examples/agent/src/main.ts')

test('an agent that can hear nobody does not start', async () => {
  const agent = {
    topics,
    clock: systemClock,
    ...mine,
    platforms: new Map(),
    verify: () => ({ refused: '' }),
    sign: () => new Uint8Array(),
    tell: () => {},
  }
  await expect(runAgent(agent, new AbortController().signal)).rejects.toThrow('a log, an address to listen on, or both')
})

test('what is missing or wrong in the environment is named', async () => {
  const whole = {
    INTERLOCK_AGENT: 'a',
    INTERLOCK_ENVIRONMENT: 'e',
    INTERLOCK_DEPLOYMENT: 'd',
    INTERLOCK_KEY_FILE: 'key.pem',
    INTERLOCK_KEYSET_FILE: 'keyset.json',
    INTERLOCK_STATE_FOLDER: 'state',
    INTERLOCK_LISTEN: '[::1]:7443',
  }
  expect(await setupFromEnvironment(whole)).toMatchObject({ deployment: 'd', listen: { port: 7443 } })
  await expect(setupFromEnvironment({ ...whole, INTERLOCK_KEY_FILE: '' })).rejects.toThrow(
    'INTERLOCK_KEY_FILE is not set; it names the PEM file',
  )
  await expect(setupFromEnvironment({ ...whole, INTERLOCK_LISTEN: '7443' })).rejects.toThrow(
    'write an address and a port',
  )
  await expect(setupFromEnvironment({ ...whole, INTERLOCK_TLS_KEY: 'k.pem' })).rejects.toThrow('set both or neither')
  await expect(setupFromEnvironment({ ...whole, INTERLOCK_TURN_MS: 'soon' })).rejects.toThrow('milliseconds from 10 up')
})

test('the example of a team’s agent has at most 50 lines, takes commands while its broker is away, and ends on SIGTERM', async () => {
  const lines = (await readFile(example, 'utf8')).trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(50)
  const folder = await mkdtemp(join(tmpdir(), 'interlock-example-'))
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(join(folder, 'key.pem'), pem)
  await writeFile(join(folder, 'keyset.json'), JSON.stringify({ kind: 'keyset', version: 1, keys }))
  const child = spawn(process.execPath, [example], {
    env: {
      ...process.env,
      INTERLOCK_AGENT: mine.agent,
      INTERLOCK_ENVIRONMENT: mine.environment,
      INTERLOCK_DEPLOYMENT: 'flight-delay',
      INTERLOCK_KEY_FILE: join(folder, 'key.pem'),
      INTERLOCK_KEYSET_FILE: join(folder, 'keyset.json'),
      INTERLOCK_STATE_FOLDER: join(folder, 'state'),
      INTERLOCK_LISTEN: '127.0.0.1:0',
      // Nobody answers there: the agent waits for its broker and its platform.
      INTERLOCK_BROKERS: '127.0.0.1:9',
      INTERLOCK_PLATFORM_URL: 'http://127.0.0.1:9',
    },
  })
  const ready = await new Promise<{ endpoint: string }>((done) =>
    child.stdout.once('data', (chunk: Buffer) => done(JSON.parse(chunk.toString()) as { endpoint: string })),
  )
  const response = await fetch(`${ready.endpoint}/v1/commands`, {
    method: 'POST',
    body: Buffer.from(originals[0] as Uint8Array),
  })
  expect(await response.json()).toMatchObject({ outcome: 'kept', order: commands[0]?.order })
  child.kill('SIGTERM')
  expect(await new Promise((done) => child.once('close', done))).toBe(0)
})

test('a command that starts no agent is told of at once: exit 3', async () => {
  const main = join(root, 'packages/cli/src/main.ts')
  const folder = await mkdtemp(join(tmpdir(), 'interlock-conformance-'))
  const words = [main, 'agent', 'conformance', '--start', 'echo no such agent; exit 4', '--folder', folder]
  await expect(promisify(execFile)(process.execPath, words)).rejects.toMatchObject({
    code: 3,
    stderr: expect.stringContaining(`the command that starts the agent has ended. What it printed is in ${folder}`),
  })
  expect(await readFile(join(folder, 'agent-output.log'), 'utf8')).toContain('no such agent')
})

test('`agent run` says what is missing, and exits with 2', async () => {
  const main = join(root, 'packages/cli/src/main.ts')
  const failed = promisify(execFile)(process.execPath, [main, 'agent', 'run'], { env: { PATH: process.env.PATH } })
  await expect(failed).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('The environment variable INTERLOCK_AGENT is not set'),
  })
})
