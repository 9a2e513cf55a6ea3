import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgentId, Command, DeploymentId, Desired, FactRecord, Order } from '@interlock/contracts'
import { sha256, shardOf, topics } from '@interlock/contracts'
import { type EventLog, LogUnavailable, openSqliteLog, systemClock } from '@interlock/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { Agent, type AgentOptions } from './agent.ts'
import { keptInFolder } from './kept-commands.ts'
import { memoryPlatform } from './memory-platform.ts'

/** Asks until it is so; a loaded machine may take its time. */
const eventually = <T>(ask: () => T) => expect.poll(ask, { timeout: 20_000 })

const v1 = sha256('v1')
const v2 = sha256('v2')
const deployment = 'd' as DeploymentId
const before = { generation: 1, stable: v1, candidate: null, share: 0, shadow: false, fallback: false }
const alone: Desired = { target: v1, candidate: null, shareMax: 0, shadow: false, pace: 'at-once', fallback: false }

const lent: Command['grant'] = { ms: 60_000, onLapse: [] }

function command(order: Order, desired: Desired, grant: Command['grant'] = null): Buffer {
  const body: Command = {
    v: 1,
    environment: 'test',
    audience: 'agent-1' as AgentId,
    deployment,
    issuedAt: 0,
    order,
    desired,
    grant,
    because: sha256('decision'),
    policy: sha256('policy'),
  }
  return Buffer.from(JSON.stringify(body))
}
const canary = (share: number): Desired => ({ ...alone, candidate: v2, shareMax: share })

/** An agent that believes every command: what is tested here are its loops. */
function agentOn(platform: ReturnType<typeof memoryPlatform>, more: Partial<AgentOptions> = {}) {
  const stop = new AbortController()
  const agent = new Agent({
    topics,
    clock: systemClock,
    agent: 'agent-1' as AgentId,
    environment: 'test',
    platforms: new Map([[deployment, platform]]),
    verify: (bytes) => ({ command: JSON.parse(Buffer.from(bytes).toString()) as Command, signed: bytes }),
    sign: (record) => Buffer.from(JSON.stringify(record)),
    tell: () => {},
    turnEveryMs: 20,
    ...more,
  })
  const running = (): Promise<void> => agent.resume().then(() => agent.run(stop.signal))
  onTestFinished(() => stop.abort())
  return { agent, running, stop }
}

async function emptyLog(): Promise<EventLog> {
  const log = openSqliteLog({ folder: await mkdtemp(join(tmpdir(), 'interlock-agent-')) })
  await log.createTopic(topics.commands, { partitions: 1 })
  await log.createTopic(topics.facts, { partitions: 1 })
  onTestFinished(() => log.close())
  return log
}
const append = (log: EventLog, value: Uint8Array) =>
  log.append(topics.commands, shardOf(deployment, 1), { key: Buffer.from(deployment), value })

const unanswered = (): Promise<never> => new Promise(() => {})
const stopsAnswering: Omit<EventLog, 'close'> = {
  createTopic: unanswered,
  partitions: unanswered,
  bounds: unanswered,
  read: () => ({ [Symbol.asyncIterator]: () => ({ next: unanswered }) }),
  wait: unanswered,
  append: unanswered,
  appendMany: unanswered,
}

async function factsOn(log: EventLog): Promise<readonly FactRecord['fact'][]> {
  const { begin, end } = await log.bounds(topics.facts, 0)
  const facts: FactRecord['fact'][] = []
  for await (const batch of log.read({ topic: topics.facts, partition: 0, from: begin, to: end }))
    for (const { value } of batch.records) facts.push((JSON.parse(Buffer.from(value!).toString()) as FactRecord).fact)
  return facts
}

test('what the topic holds at the start is taken before the first change: only the highest command is applied', async () => {
  const log = await emptyLog()
  await append(log, command([2, 0, 0, 1], canary(0.5)))
  await append(log, command([2, 0, 3, 2], alone))
  await append(log, command([2, 0, 0, 3], canary(0.9)))
  const platform = memoryPlatform(before)
  // The disk knows less than the topic, and is read first.
  const kept = keptInFolder(await mkdtemp(join(tmpdir(), 'interlock-kept-')))
  await agentOn(platform, { kept }).agent.take(command([2, 0, 0, 1], canary(0.5)))
  void agentOn(platform, { log, kept }).running()
  await eventually(() => platform.changes.length).toBe(1)
  expect(platform.changes).toMatchObject([{ generation: 2, candidate: null, share: 0 }])
  await eventually(async () => (await factsOn(log)).map(({ kind }) => kind)).toContain('applied')
})

test('a command by the second path is carried out while the log is away, and its facts arrive once the log is back', async () => {
  const log = await emptyLog()
  let away = true
  const gone = async (): Promise<never> => {
    throw new LogUnavailable('no broker answers')
  }
  const flaky: EventLog = {
    createTopic: (...given) => log.createTopic(...given),
    appendMany: (...given) => log.appendMany(...given),
    close: () => log.close(),
    partitions: (topic) => (away ? gone() : log.partitions(topic)),
    bounds: (topic, partition) => (away ? gone() : log.bounds(topic, partition)),
    wait: (...given) => (away ? gone() : log.wait(...given)),
    append: (...given) => (away ? gone() : log.append(...given)),
    read: (range) => log.read(range),
  }
  const platform = memoryPlatform({ ...before, generation: 2, candidate: v2, share: 0.2 })
  const { agent, running } = agentOn(platform, { log: flaky, observeEveryMs: 30 })
  void running()
  expect(await agent.take(command([2, 0, 3, 9], alone))).toMatchObject({ outcome: 'kept', order: [2, 0, 3, 9] })
  await eventually(() => platform.changes.length).toBe(1)
  expect(await factsOn(log)).toEqual([])
  away = false
  await eventually(async () => (await factsOn(log)).map(({ kind }) => kind)).toContain('applied')
  const kinds = (await factsOn(log)).map(({ kind }) => kind)
  expect(kinds.indexOf('received')).toBeLessThan(kinds.indexOf('applied'))
})

test('a command does not wait for the next turn', async () => {
  const platform = memoryPlatform(before)
  const observe = platform.observe
  let observed = 0
  platform.observe = () => {
    observed++
    return observe()
  }
  const { agent, running } = agentOn(platform, { turnEveryMs: 3_600_000 })
  void running()
  await eventually(() => observed).toBe(1)
  await agent.take(command([2, 0, 3, 9], alone))
  await eventually(() => platform.changes.length).toBe(1)
})

test('the same command on both paths is carried out once', async () => {
  const log = await emptyLog()
  const platform = memoryPlatform(before)
  const { agent, running } = agentOn(platform, { log })
  void running()
  await eventually(async () => (await factsOn(log)).length).toBeGreaterThan(0)
  const signed = command([2, 0, 0, 1], canary(0.05))
  await Promise.all([append(log, signed), agent.take(signed)])
  await eventually(() => platform.changes.length).toBe(1)
  expect(await agent.take(signed)).toMatchObject({ outcome: 'ignored', keeps: [2, 0, 0, 1] })
  expect(platform.changes).toHaveLength(1)
})

test('a restart knows the command that came by the second path, and an outranked one has no effect', async () => {
  const kept = keptInFolder(await mkdtemp(join(tmpdir(), 'interlock-kept-')))
  await kept.prepare()
  const platform = memoryPlatform(before)
  const first = agentOn(platform, { kept })
  await first.agent.take(command([2, 0, 3, 9], alone))
  const second = agentOn(platform, { kept })
  await second.agent.resume()
  expect(await second.agent.take(command([2, 0, 0, 8], canary(0.5)))).toMatchObject({
    outcome: 'ignored',
    keeps: [2, 0, 3, 9],
  })
  expect(second.agent.state()).toMatchObject([{ deployment, order: [2, 0, 3, 9] }])
})

test('of commands that arrive at once the highest is the one on disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-kept-'))
  const { agent } = agentOn(memoryPlatform(before), { kept: keptInFolder(folder) })
  await Promise.all([3, 7, 5, 1, 6].map((revision) => agent.take(command([2, 0, 0, revision], canary(0.1)))))
  const onDisk = JSON.parse(await readFile(join(folder, `command-${deployment}.json`), 'utf8')) as Command
  expect(onDisk.order).toEqual([2, 0, 0, 7])
})

test('told to stop it ends soon, though neither its log nor its platform answers, and appends what it can', async () => {
  const log = await emptyLog()
  const platform = memoryPlatform(before)
  const { agent, stop, running } = agentOn(platform, { log })
  const run = running()
  await eventually(() => agent.state()[0]?.facts.observed).toBeDefined()
  await agent.take(command([2, 0, 3, 2], alone))
  stop.abort()
  await run
  expect((await factsOn(log)).map(({ kind }) => kind)).toContain('received')

  // Waits of up to three seconds are over soon for this clock, and the longer deadlines of log and platform never.
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms <= 3_000 ? 5 : 2 ** 31 - 1, signal),
  }
  const never: EventLog = { ...stopsAnswering, close: () => log.close() }
  const deaf = agentOn(memoryPlatform(before), { log: never, clock })
  const deafRun = deaf.running()
  deaf.stop.abort()
  await deafRun

  const hanging = memoryPlatform(before)
  const asked = Promise.withResolvers<void>()
  hanging.observe = () => {
    asked.resolve()
    return new Promise(() => {})
  }
  const stuck = agentOn(hanging, { clock })
  const stuckRun = stuck.running()
  await asked.promise
  stuck.stop.abort()
  await stuckRun
})

test('a disk that takes no file does not keep the agent from acting; it says so', async () => {
  const platform = memoryPlatform(before)
  const told: string[] = []
  const folder = join(await mkdtemp(join(tmpdir(), 'interlock-kept-')), 'no-folder')
  await writeFile(folder, 'a file where a folder should be')
  const { agent, stop } = agentOn(platform, { kept: keptInFolder(folder), tell: (_, message) => told.push(message) })
  await agent.take(command([2, 0, 3, 2], alone))
  void agent.run(stop.signal)
  await eventually(() => platform.changes.length).toBe(1)
  expect(told).toContain('the command could not be written to disk; a restart will not know it')
})

test('severity 0 waits for the disk: while it takes no file the kept command stands, then the next renewal is taken', async () => {
  const platform = memoryPlatform(before)
  const folder = join(await mkdtemp(join(tmpdir(), 'interlock-kept-')), 'no-folder')
  await writeFile(folder, 'a file where a folder should be')
  const { agent, stop } = agentOn(platform, { kept: keptInFolder(folder) })
  const halted = command([2, 0, 1, 2], alone)
  expect(await agent.take(halted)).toMatchObject({ outcome: 'kept' })
  const promoted = command([3, 0, 0, 3], canary(0.1), lent)
  expect(await agent.take(promoted)).toMatchObject({ outcome: 'ignored', keeps: [2, 0, 1, 2] })
  void agent.run(stop.signal)
  await eventually(() => platform.changes.length).toBe(1)
  expect(platform.changes[0]?.share).toBe(0)
  await rm(folder)
  await mkdir(folder)
  const onDisk = async () =>
    (await readFile(join(folder, `command-${deployment}.json`), 'utf8').catch(() => '')) === halted.toString()
  await expect.poll(onDisk, { timeout: 20_000 }).toBe(true)
  expect(await agent.take(promoted)).toMatchObject({ outcome: 'kept' })
  await eventually(() => platform.changes.at(-1)?.share).toBe(0.1)
})

test('a platform that never answers is given up after its deadline, and the next turn asks again', async () => {
  const platform = memoryPlatform(before)
  const observe = platform.observe
  let asked = 0
  platform.observe = () => (asked++ === 0 ? new Promise(() => {}) : observe())
  const told: string[] = []
  // Hours pass at once for this clock.
  const clock = { ...systemClock, after: (_: number, work: () => void) => systemClock.after(5, work) }
  const { agent, stop } = agentOn(platform, { clock, tell: (_, message) => told.push(message) })
  await agent.take(command([2, 0, 3, 2], alone))
  void agent.run(stop.signal)
  await eventually(() => platform.changes.length).toBe(1)
  expect(told[0]).toContain('memory platform, observe: no answer within')
})

test('a change that may be half done is made once more, though what is observed looks right', async () => {
  const platform = memoryPlatform({ ...before, generation: 2 })
  let halfDone = true
  platform.unfinished = async () => halfDone
  const apply = platform.apply
  platform.apply = (...change) => {
    halfDone = false
    return apply(...change)
  }
  const { agent, stop } = agentOn(platform)
  await agent.take(command([2, 0, 3, 2], alone))
  void agent.run(stop.signal)
  await eventually(() => agent.state()[0]?.facts.applied).toBeDefined()
  expect(platform.changes).toHaveLength(1)
})
