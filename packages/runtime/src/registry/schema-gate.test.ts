import {
  decodeOut,
  decodeSchemaRecord,
  encodeSchemaRecord,
  type InputSource,
  type Processor,
  type ProgressOut,
} from '@interlock/contracts'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { verifyReplay } from '../replay.ts'
import { collected, World } from '../test-world.ts'
import { type RegistryAnswer, RegistryUnavailable } from './confluent-registry.ts'
import { SchemaGate, schemaIdOf } from './schema-gate.ts'

const inputs: readonly InputSource[] = ['schemas', 'in', 'other'].map((topic) => ({
  kind: 'topic',
  topic,
  partition: 0,
}))

/** Says of each message whether its schema was there when it was taken. */
const reader: Processor<readonly number[]> = {
  name: 'toy',
  version: 1,
  empty: () => [],
  step: (known, batch) => {
    const ids = new Set(known)
    const dead: Record<string, number> = {}
    for (const input of batch) {
      if (input.kind !== 'record') continue
      const { topic, value } = input.record
      const id = topic === 'schemas' ? decodeSchemaRecord(value)?.id : undefined
      if (id !== undefined) ids.add(id)
      if (topic === 'schemas') continue
      const named = schemaIdOf(input.record)!
      const key = `${ids.has(named) ? 'read' : 'dead'} ${topic} ${named}`
      dead[key] = (dead[key] ?? 0) + 1
    }
    const out: ProgressOut = { kind: 'progress', shard: 0, watermark: 0, caughtUp: true, taken: 0, counted: 0, dead }
    return [[...ids].sort((a, b) => a - b), Object.keys(dead).length === 0 ? [] : [out]]
  },
  save: (ids) => Buffer.from(JSON.stringify(ids)),
  load: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
}

/** A registry to be switched off, that counts what it is asked. */
class Registry {
  readonly name = 'http://registry.test'
  readonly schemas = new Map<number, RegistryAnswer>()
  isAway = false
  asked = 0
  async fetch(id: number): Promise<RegistryAnswer | null> {
    this.asked += 1
    if (this.isAway) throw new RegistryUnavailable('refused')
    return this.schemas.get(id) ?? null
  }
}

class Story {
  readonly world = new World('schemas', 'other')
  readonly registry = new Registry()
  private readonly stop = new AbortController()

  /** Two owners of the gate's kind, as two processes are. */
  start(): void {
    for (const name of ['first', 'second']) {
      const process = this.world.simulation.process(`gate ${name}`)
      const { clock } = process
      const log = this.world.servers.handle(process)
      const options = { log, source: this.registry, clock, random: () => 0.5, logger: pino({ level: 'silent' }) }
      const gate = new SchemaGate(options)
      void gate.run(this.stop.signal)
      if (name === 'first') void this.own(gate)
    }
  }

  put(topic: string, ...ids: readonly number[]): void {
    for (const id of ids) this.world.servers.land(topic, 0, [{ value: Buffer.from([0, 0, 0, id >> 8, id & 255, 7]) }])
  }

  /** What has been made of the messages so far. */
  async told(): Promise<Record<string, number>> {
    const all: Record<string, number> = {}
    for (const { entry } of await this.world.entries()) {
      for (const out of entry.outs.map(decodeOut)) {
        for (const [key, n] of Object.entries((out as ProgressOut).dead)) all[key] = (all[key] ?? 0) + n
      }
    }
    return all
  }

  async end(): Promise<void> {
    this.stop.abort()
    await this.world.pass(10_000)
    const report = await this.world.done(verifyReplay({ log: this.world.log, processor: reader, shard: 0, wanted: 0n }))
    expect(report.mismatches).toEqual([])
    expect(report.stateHashes).toBeGreaterThan(0)
  }

  async schemas(): Promise<readonly (number | undefined)[]> {
    const { end } = this.world.servers.partition('schemas', 0)
    const batches = collected(this.world.log.read({ topic: 'schemas', partition: 0, from: 0n, to: end }))
    const records = (await this.world.done(batches)).flatMap(({ records }) => records)
    return records.map(({ value }) => decodeSchemaRecord(value)!.id)
  }

  private async own(gate: SchemaGate): Promise<void> {
    const { runShard } = await import('../shard.ts')
    await runShard(this.world.options(reader, { inputs, gate }), this.stop.signal)
  }
}

const text = { schema: '"string"' }

test('a message waits until what the registry has under its id was taken, and replay needs no registry', async () => {
  const story = new Story()
  story.registry.schemas.set(7, text).set(9, { refused: 'is a Protobuf schema' })
  story.put('in', 7, 9, 7)
  story.start()
  await story.world.pass(5_000)
  expect(await story.told()).toEqual({ 'read in 7': 2, 'read in 9': 1 })
  story.put('in', 7)
  await story.world.pass(2_000)
  expect(await story.told()).toEqual({ 'read in 7': 3, 'read in 9': 1 })
  expect(new Set(await story.schemas())).toEqual(new Set([undefined, 7, 9]))
  story.registry.isAway = true
  await story.end()
})

test('a registry away from the start: cached schemas go on, a message waits a minute and no longer, other partitions not at all', async () => {
  const story = new Story()
  story.registry.isAway = true
  story.registry.schemas.set(8, text)
  for (const record of [{}, { id: 7, ...text }]) {
    const value = encodeSchemaRecord({ v: 1, registry: 'x', ...record })
    story.world.servers.land('schemas', 0, [{ value }])
  }
  story.put('in', 7, 8, 7)
  story.start()
  await story.world.pass(30_000)
  story.put('other', 7, 7)
  await story.world.pass(25_000)
  expect(await story.told()).toEqual({ 'read in 7': 1, 'read other 7': 2 })
  await story.world.pass(10_000)
  expect(await story.told()).toEqual({ 'read in 7': 2, 'dead in 8': 1, 'read other 7': 2 })
  // The minute is over once: what comes while it is still away does not wait again.
  story.put('in', 8)
  await story.world.pass(3_000)
  expect(await story.told()).toMatchObject({ 'dead in 8': 2 })
  expect(story.registry.asked).toBeLessThan(60)
  // Back again: from then on they are read.
  story.registry.isAway = false
  await story.world.pass(25_000)
  story.put('in', 8)
  await story.world.pass(3_000)
  expect(await story.told()).toMatchObject({ 'read in 8': 1, 'dead in 8': 2 })
  await story.end()
})

test('a registry that comes back within the minute costs no message', async () => {
  const story = new Story()
  story.registry.isAway = true
  story.registry.schemas.set(8, text)
  story.put('in', 8)
  story.start()
  await story.world.pass(40_000)
  expect(await story.told()).toEqual({})
  story.registry.isAway = false
  await story.world.pass(15_000)
  expect(await story.told()).toEqual({ 'read in 8': 1 })
  await story.end()
})

test('an id that the registry does not have is given up in a second, and many of them do not stop a partition', async () => {
  const story = new Story()
  story.start()
  story.put('in', 1)
  await story.world.pass(3_000)
  expect(await story.told()).toEqual({ 'dead in 1': 1 })
  const many = Array.from({ length: 400 }, (_, index) => 1_000 + index)
  story.put('in', ...many)
  await story.world.pass(15_000)
  expect(Object.keys(await story.told())).toHaveLength(401)
  const before = story.registry.asked
  await story.world.pass(10_000)
  // Asked again, less and less, by one gate of two: the other saw no message.
  expect(story.registry.asked - before).toBeLessThan(1_000)
  await story.end()
})

test('only the wire format has an id', () => {
  const record = { topic: 'in', partition: 0, offset: 0n, at: 0, key: null }
  const id = (value: readonly number[], headers = {}) => schemaIdOf({ ...record, value: Buffer.from(value), headers })
  expect(id([0, 255, 255, 255, 255, 1])).toBe(4_294_967_295)
  expect(id([0, 0, 0, 1])).toBeNull()
  expect(id([0x7b, 0, 0, 0, 1, 1])).toBeNull()
  expect(id([0, 0, 0, 0, 1, 1], { 'content-type': 'application/json' })).toBeNull()
  expect(schemaIdOf({ ...record, value: null, headers: {} })).toBeNull()
})
