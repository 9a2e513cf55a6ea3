import {
  type AlertOut,
  type Command,
  type CommandOut,
  decodeOut,
  encodeOut,
  type Hash,
  type LogRecord,
  type Order,
  type Processor,
} from '@interlock/contracts'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { orderHeader, orderInHeader as orderIn, sourceHeader } from './public-record.ts'
import { runPublisher } from './publisher.ts'
import type { SimulatedProcess } from './simulation.ts'
import { World } from './test-world.ts'

/** Orders `<deployment>:<revision>` from its input; `alert:<text>` makes an alert. Other outs stay inside. */
const orderer: Processor<number> = {
  name: 'toy',
  version: 1,
  empty: () => 0,
  step: (state, batch) => [
    state + batch.length,
    batch.flatMap((input): readonly (AlertOut | CommandOut)[] => {
      const [name, rest] = input.kind === 'record' ? Buffer.from(input.record.value!).toString().split(':') : []
      if (name === 'alert') return [alert(rest!)]
      return name === 'inner' ? [] : [command(name!, Number(rest))]
    }),
  ],
  save: (state) => Buffer.from(String(state)),
  load: (bytes) => Number(Buffer.from(bytes).toString()),
}
const hash = 'a'.repeat(64) as Hash
const alert = (text: string): AlertOut => ({
  kind: 'alert',
  id: text,
  deployment: 'd' as AlertOut['deployment'],
  at: 0,
  attention: 'watch',
  sentence: text,
  done: '',
  asked: '',
  decision: hash,
  resolves: null,
})
function command(deployment: string, revision: number): CommandOut {
  const order: Order = [1, 0, 0, revision]
  const desired = {
    target: hash,
    candidate: null,
    shareMax: 0,
    shadow: false,
    pace: 'at-once',
    fallback: false,
  } as const
  const all = {
    v: 1,
    environment: 'e',
    audience: 'g',
    deployment,
    issuedAt: 0,
    order,
    desired,
    grant: null,
    because: hash,
    policy: hash,
  }
  return { kind: 'command', command: all as unknown as Command }
}

function publisher(
  world: World,
  sign?: Parameters<typeof runPublisher>[0]['sign'],
  kinds?: Parameters<typeof runPublisher>[0]['kinds'],
  orderOf?: Parameters<typeof runPublisher>[0]['orderOf'],
) {
  const process: SimulatedProcess = world.simulation.process('publisher')
  const stop = new AbortController()
  const logger = pino({ level: 'silent' })
  const shardLog = { topic: 'log.toy', partition: 0 }
  const log = world.servers.handle(process)
  const ended = runPublisher(
    {
      ...{ log, clock: process.clock, logger, random: () => 0.5, shardLog },
      ...(sign ? { sign } : {}),
      ...(kinds ? { kinds } : {}),
      ...(orderOf ? { orderOf } : {}),
    },
    stop.signal,
  )
  ended.catch(() => {})
  return { process, stop: () => stop.abort(), ended }
}

async function published(world: World, topic: string): Promise<string[]> {
  return world.servers.partition(topic, 0).records.map(readable)
}
function readable({ key, value, headers }: LogRecord): string {
  const out = decodeOut({ kind: headers.kind!, key: Buffer.from(key!).toString(), value: value! })
  if (out.kind === 'command') return `${out.command.deployment}:${out.command.order[3]}`
  return out.kind === 'alert' ? out.sentence : out.kind
}

describe('a publisher', () => {
  test('copies public outs in order to their topics, names their source, and signs', async () => {
    const world = new World()
    world.put('a:1', 'alert:one', 'inner:1', 'a:2', 'alert:two')
    await world.own(orderer, 2_000)
    const { stop, ended } = publisher(world, ({ kind, value }) =>
      kind === 'command' ? value : Buffer.from(`signed ${value.length}`),
    )
    await world.pass(2_000)
    expect(await published(world, 'commands')).toEqual(['a:1', 'a:2'])
    const alerts = world.servers.partition('alerts', 0).records
    expect(alerts.map(({ value }) => Buffer.from(value!).toString())).toEqual(
      ['one', 'two'].map((text) => `signed ${encodeOut(alert(text)).value.length}`),
    )
    const [first] = world.servers.partition('commands', 0).records
    expect(first!.headers).toMatchObject({ [sourceHeader]: 'log.toy/0/1/0', [orderHeader]: '1.0.0.1', kind: 'command' })
    stop()
    await world.done(ended)
  })

  test('stops rather than to keep back an out of a kind that it was not started for', async () => {
    const world = new World()
    world.put('alert:one', 'a:1')
    await world.own(orderer, 1_500)
    const { ended } = publisher(world, undefined, ['alert'])
    await world.pass(1_000)
    await expect(ended).rejects.toThrow(/log\.toy\/0 offset \d+ puts out "command", and .* started for alert/)
    expect(await published(world, 'alerts')).toEqual(['one'])
    expect(await published(world, 'commands')).toEqual([])
  })

  test('copies nothing of a void entry', async () => {
    const world = new World()
    world.put('a:1')
    await world.own(orderer, 1_500)
    const [, second] = await world.entries()
    world.servers.land('log.toy', 0, [{ value: second!.bytes }])
    const { stop, ended } = publisher(world)
    await world.pass(2_000)
    expect(await published(world, 'commands')).toEqual(['a:1'])
    stop()
    await world.done(ended)
  })

  test('killed anywhere and started again publishes everything, in order, and repeats at most what was in flight', async () => {
    for (let killAfter = 1; killAfter < 60; killAfter += 3) {
      const world = new World()
      world.put('a:1', 'alert:1', 'a:2', 'alert:2', 'b:1', 'alert:3')
      await world.own(orderer, 1_200)
      const before = publisher(world)
      await world.pass(killAfter)
      before.process.kill()
      const after = publisher(world)
      await world.pass(3_000)
      const commands = await published(world, 'commands')
      expect([...new Set(commands)], `killed after ${killAfter} ms`).toEqual(['a:1', 'a:2', 'b:1'])
      expect([...new Set(await published(world, 'alerts'))]).toEqual(['1', '2', '3'])
      expect(commands.length + world.servers.partition('alerts', 0).records.length).toBeLessThanOrEqual(7)
      after.stop()
      await world.done(after.ended)
    }
  })

  test('that was asleep and appends an old command last does not leave it there', async () => {
    const world = new World()
    world.put('a:1')
    await world.own(orderer, 1_500)
    const zombie = publisher(world)
    let sent = false
    // The zombie's append is on its way when it is stopped, and lands a minute later.
    world.servers.faults = {
      latencyMs: () => 1,
      fate: ({ process, topic }) => {
        if (process !== 'publisher' || topic !== 'commands' || sent)
          return { landAfterMs: [1], answerAfterMs: 2, answer: 'position' }
        sent = true
        return { landAfterMs: [60_000], answerAfterMs: 60_001, answer: 'position' }
      },
    }
    await world.pass(100)
    zombie.process.kill()
    const live = publisher(world)
    await world.pass(2_000)
    world.put('a:2')
    await world.own(orderer, 3_000)
    await world.pass(20_000)
    expect((await published(world, 'commands')).at(-1)).toBe('a:2')
    await world.pass(60_000)
    const all = await published(world, 'commands')
    expect(all.slice(-2)).toEqual(['a:1', 'a:2'])
    live.stop()
    await world.done(live.ended)
  })

  test('started after an old command landed last, finds the higher one again although compaction erased it', async () => {
    const world = new World()
    world.put('a:1', 'a:2', 'b:1')
    await world.own(orderer, 1_500)
    const first = publisher(world)
    await world.pass(2_000)
    first.stop()
    await world.done(first.ended)
    // A zombie's a:1 lands between the last look of the writer of b:1 and b:1 itself; then all publishers are gone.
    const commands = world.servers.partition('commands', 0)
    const [a1, a2, b1] = commands.records
    expect([a1, a2, b1].map((record) => readable(record!))).toEqual(['a:1', 'a:2', 'b:1'])
    commands.records.length = 0
    commands.begin = commands.end = 0n
    const { key, value, headers } = b1!
    world.servers.land('commands', 0, [a1!, a2!, a1!, { key, value, headers: { ...headers, seen: '2' } }])
    world.servers.compact('commands', 0)
    expect(await published(world, 'commands')).toEqual(['a:1', 'b:1'])
    const next = publisher(world)
    await world.pass(2_000)
    world.servers.compact('commands', 0)
    expect((await published(world, 'commands')).sort()).toEqual(['a:2', 'b:1'])
    next.stop()
    await world.done(next.ended)
  })

  test('that starts again does not believe a forged record which claims to be a copy of what is still to come', async () => {
    const world = new World()
    world.put('a:1')
    await world.own(orderer, 1_500)
    const first = publisher(world)
    await world.pass(2_000)
    first.stop()
    await world.done(first.ended)
    const [real] = world.servers.partition('commands', 0).records
    // One names an out far ahead; the other a real out, and says something else.
    const forge = (source: string, value: Uint8Array) =>
      world.servers.land('alerts', 0, [{ key: real!.key, value, headers: { kind: 'alert', [sourceHeader]: source } }])
    forge('log.toy/0/999999/0', Buffer.from('forged'))
    world.put('a:2', 'alert:one')
    await world.own(orderer, 2_000)
    const [, , , , later] = await world.entries()
    forge(`log.toy/0/${later!.offset}/0`, Buffer.from('forged'))
    const next = publisher(world)
    await world.pass(2_000)
    expect(await published(world, 'commands')).toEqual(['a:1', 'a:2'])
    const alerts = world.servers.partition('alerts', 0).records.filter(({ value }) => value!.length > 10)
    expect(alerts.map(readable)).toEqual(['one'])
    next.stop()
    await world.done(next.ended)
  })

  test('puts a command back that a record which is none has erased by compaction', async () => {
    const world = new World()
    world.put('a:1', 'b:1')
    await world.own(orderer, 1_500)
    const verifying = () =>
      publisher(world, undefined, undefined, (record) => (record.headers.forged ? null : orderIn(record)))
    const genuine = () => {
      const { records } = world.servers.partition('commands', 0)
      return records
        .filter(({ headers }) => !headers.forged)
        .map(readable)
        .sort()
    }
    const first = verifying()
    await world.pass(2_000)
    const forge = () =>
      world.servers.land('commands', 0, [{ key: Buffer.from('a'), value: null, headers: { forged: '1' } }])
    forge()
    await world.pass(2_000)
    world.servers.compact('commands', 0)
    expect(genuine()).toEqual(['a:1', 'b:1'])
    first.stop()
    await world.done(first.ended)
    // Nobody publishes while it is erased.
    forge()
    world.servers.compact('commands', 0)
    const next = verifying()
    await world.pass(2_000)
    world.servers.compact('commands', 0)
    expect(genuine()).toEqual(['a:1', 'b:1'])
    next.stop()
    await world.done(next.ended)
  })

  test('goes on behind what it published when the shard log has expired there', async () => {
    const world = new World()
    world.put('a:1')
    await world.own(orderer, 3_500)
    const first = publisher(world)
    await world.pass(2_000)
    first.stop()
    await world.done(first.ended)
    world.servers.trim('log.toy', 0, 3n)
    world.put('a:2')
    await world.own(orderer, 2_000)
    const next = publisher(world)
    await world.pass(2_000)
    expect(await published(world, 'commands')).toEqual(['a:1', 'a:2'])
    next.stop()
    await world.done(next.ended)
  })
})
