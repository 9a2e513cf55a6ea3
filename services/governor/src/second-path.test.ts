import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AgentId,
  type AnyOut,
  type Command,
  encodeEntry,
  encodeOut,
  type Hash,
  type KeyEntry,
  keyIdOf,
  type StateOut,
  sha256,
  signerOf,
  verifyCommand,
} from '@interlock/contracts'
import { type Clock, openSqliteLog, systemClock } from '@interlock/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { agentUrl, httpsSender, type Send } from './https-sender.ts'
import { Rehearsal } from './rehearsal.ts'
import { agentName, keyOf, publicBytes } from './rehearsal-cast.ts'
import { runSecondPath } from './second-path.ts'
import { authority } from './testing/certificate.ts'

const shardLog = { topic: 'log.governor', partition: 0 }
const spki = publicBytes('governor')
const key: KeyEntry = {
  keyId: keyIdOf(spki),
  publicKey: spki.toString('base64'),
  roles: ['governor'],
  holder: 'governor',
  may: [],
}

/** A rollback that nobody received, as the governor lays it out: sent, escalated, sent once more. */
const story = new Rehearsal().canary()
story.agentAnswers = false
story.seconds(1, { 'inputs/v2': { harm: 12 } })
for (let second = 0; second < 95; second++) story.step([story.out(story.evidence())], 1_000)
const stuck = story.outs.filter((out) => out.kind === 'command' && out.escalated === true)
const command = story.newest() as Command
const state = story.shown()

/** A governor's log, written as its owner would, and a path that follows it. */
async function logOf() {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-second-path-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const log = openSqliteLog({ folder, durability: 'process-crash' })
  await log.createTopic(shardLog.topic, { partitions: 1 })
  let prev = -1n
  const entry = async (outs: readonly AnyOut[], after = prev): Promise<void> => {
    const value = encodeEntry({
      v: 1,
      prev: after,
      owner: 'o',
      build: 'b',
      took: [],
      caughtUp: true,
      outs: outs.map(encodeOut),
      chain: sha256('chain') as Hash,
      stateHash: null,
    })
    const landed = await log.append(shardLog.topic, 0, { value })
    if (landed !== 'unknown' && after === prev) prev = landed.offset
  }
  return { log, entry }
}

interface Heard {
  readonly level: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

function start(log: Awaited<ReturnType<typeof logOf>>['log'], url: string, send: Send, clock: Clock = systemClock) {
  const stop = new AbortController()
  const heard: Heard[] = []
  const done = runSecondPath(
    {
      log,
      shardLog,
      clock,
      signer: signerOf(keyOf('governor')),
      agents: new Map([[agentName as AgentId, { url: agentUrl(url), send }]]),
      tell: (level, message, details) => heard.push({ level, message, details }),
    },
    stop.signal,
  )
  onTestFinished(async () => {
    stop.abort()
    await done
    await log.close()
  })
  return { heard }
}

type Handler = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void

/** A real HTTPS server on loopback with a certificate that `of` signed. */
async function agentServer(of: ReturnType<typeof authority> | null, handle: Handler): Promise<string> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => handle(request, Buffer.concat(parts), response))
  }
  const server =
    of === null ? createPlain(listener) : createServer({ cert: of.server.certificate, key: of.server.key }, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `${of === null ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const taken = JSON.stringify({ order: command.order, outcome: 'kept' })

test('an escalated command arrives over TLS at its agent, signed, and so does each resend of it; no other command does', async () => {
  const ours = authority('our CA')
  const bodies: Buffer[] = []
  const url = await agentServer(ours, (request, body, response) => {
    expect([request.method, request.url]).toEqual(['POST', '/v1/commands'])
    bodies.push(body)
    response.end(taken)
  })
  const { log, entry } = await logOf()
  const { heard } = start(log, url, httpsSender(ours.ca))
  await entry([{ kind: 'command', command }])
  expect(stuck).toHaveLength(2)
  await entry([stuck[0]!, state])
  await expect.poll(() => bodies.length, { timeout: 5_000 }).toBe(1)
  await entry([stuck[1]!])
  await expect.poll(() => bodies.length, { timeout: 5_000 }).toBe(2)
  for (const body of bodies) {
    expect(verifyCommand(body, [key])).toMatchObject({ ok: true, value: { order: command.order, audience: agentName } })
  }
  await expect.poll(() => heard.length).toBe(2)
  expect(heard[0]).toMatchObject({ level: 'info', message: 'a stuck command was taken by the second path' })
})

test('a void entry moves nobody', async () => {
  const bodies: Buffer[] = []
  const url = await agentServer(null, (_, body, response) => {
    bodies.push(body)
    response.end(taken)
  })
  const { log, entry } = await logOf()
  await entry([])
  start(log, url, httpsSender())
  const forged = { ...command, order: [9, 9, 4, 9] } as const
  await entry([{ kind: 'command', command: forged, escalated: true }], 77n)
  await entry([stuck[0]!])
  await expect.poll(() => bodies.length, { timeout: 5_000 }).toBe(1)
  expect(verifyCommand(bodies[0]!, [key])).toMatchObject({ value: { order: command.order } })
})

test('a certificate of another authority is not spoken to, and the command stays unsent', async () => {
  const [ours, theirs] = [authority('our CA'), authority('their CA')]
  let posted = 0
  const url = await agentServer(theirs, (_, __, response) => {
    posted += 1
    response.end(taken)
  })
  const { log, entry } = await logOf()
  const { heard } = start(log, url, httpsSender(ours.ca))
  await entry([stuck[0]!])
  await expect.poll(() => heard.length, { timeout: 5_000 }).toBeGreaterThan(0)
  expect(heard[0]).toMatchObject({ level: 'warn', message: 'the second path does not reach the agent' })
  expect(posted).toBe(0)
})

test('an agent that is away, or busy, is tried again; a word about the command ends it', async () => {
  const answers = [503, 429, 422]
  const seen: number[] = []
  const url = await agentServer(null, (_, __, response) => {
    const status = answers[seen.length] ?? 200
    seen.push(status)
    response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('{"reason":"wrong-role"}')
  })
  const { log, entry } = await logOf()
  const waits: number[] = []
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => {
      if (ms >= 1_000) waits.push(ms)
      return systemClock.sleep(ms >= 1_000 ? 1 : ms, signal)
    },
  }
  const { heard } = start(log, url, httpsSender(), clock)
  await entry([stuck[0]!])
  await expect.poll(() => heard.length, { timeout: 5_000 }).toBe(3)
  expect(seen).toEqual([503, 429, 422])
  expect(waits).toEqual([1_000, 2_000])
  expect(heard.at(-1)).toMatchObject({ level: 'warn', message: 'a stuck command was refused by the second path' })
})

test('a command that is replaced or proven is no longer tried', async () => {
  for (const end of [
    [{ kind: 'command', command: { ...command, order: [9, 0, 0, 1] } } as AnyOut],
    [{ ...state, command: { ...state.command!, state: 'verified' } } as StateOut],
  ]) {
    let tries = 0
    const send: Send = async () => {
      tries += 1
      throw new Error('away')
    }
    const { log, entry } = await logOf()
    const asked = Promise.withResolvers<void>()
    const clock: Clock = {
      ...systemClock,
      // The wait between two attempts lasts until it is ended.
      sleep: (ms, signal) => {
        if (ms < 1_000) return systemClock.sleep(ms, signal)
        return new Promise((resolve) => {
          signal?.addEventListener('abort', () => {
            asked.resolve()
            resolve()
          })
        })
      },
    }
    start(log, 'http://127.0.0.1:1', send, clock)
    await entry([stuck[0]!])
    await expect.poll(() => tries, { timeout: 5_000 }).toBe(1)
    await entry(end)
    await asked.promise
    expect(tries).toBe(1)
  }
})

test('a command that escalated shortly before a restart is sent again, and an agent without an address is told of', async () => {
  const bodies: Buffer[] = []
  const url = await agentServer(null, (_, body, response) => {
    bodies.push(body)
    response.end(taken)
  })
  const { log, entry } = await logOf()
  await entry([])
  await entry([stuck[0]!])
  await entry([
    {
      kind: 'command',
      command: { ...command, audience: 'nobody' as AgentId, deployment: 'x' as never },
      escalated: true,
    },
  ])
  const { heard } = start(log, url, httpsSender())
  await expect.poll(() => bodies.length, { timeout: 5_000 }).toBe(1)
  await expect
    .poll(() => heard.map(({ message }) => message))
    .toContain('a command is stuck, and no second path to its agent is configured')
})

test('an address is https, or http to this machine, and carries no credentials', () => {
  for (const good of ['https://agent.example:8443', 'http://127.0.0.1:1', 'http://localhost', 'http://[::1]:9']) {
    expect(agentUrl(good).href).toBeDefined()
  }
  expect(() => agentUrl('http://agent.example')).toThrow('plain http may go to this machine only')
  expect(() => agentUrl('http://127.0.0.1.example.com')).toThrow('this machine only')
  expect(() => agentUrl('ftp://x')).toThrow('no https address')
  expect(() => agentUrl('https://user:secret@x')).toThrow('no credentials')
})
