/** Avro under the ids of a real schema registry, from a real broker, through the profiler. */
import { randomUUID } from 'node:crypto'
import { registerSchema, SchemaRefused } from '@interlock/client'
import {
  type DeadLetterOut,
  type DeploymentDocument,
  decodeOut,
  encodeEventAvro,
  encodeEventJson,
  type InputSource,
  ownRegistry,
  type Policy,
  type Processor,
  type ProgressOut,
  type VersionId,
} from '@interlock/contracts'
import { createProfiler, profilerInputs } from '@interlock/profiler'
import {
  confluentRegistry,
  openKafkaLog,
  RegistryUnavailable,
  runHost,
  SchemaGate,
  staticMembership,
  systemClock,
  validEntries,
  verifyReplay,
} from '@interlock/runtime'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { prediction, watchOf } from '../../services/profiler/src/sample-watch.ts'
import { anyBroker, howToRun as howToRunKafka, newPrefix } from '../kafka/broker.ts'
import { anyRegistry, howToRun } from './registry.ts'

const registry = await anyRegistry()
const broker = registry && (await anyBroker())
afterAll(async () => {
  await Promise.all([registry?.remove(), broker?.remove()])
})

if (registry === null || broker === null) {
  test('a registry or Kafka could not be run', () => {
    expect(process.env.INTERLOCK_REQUIRE, `${howToRun}\n${howToRunKafka}`).not.toBe('all')
  })
} else {
  /** Also on a registry that is kept: subjects are never used twice. */
  const unique = newPrefix()
  const waitMs = 5_000
  const log = openKafkaLog({ brokers: [broker.address], clientId: 'interlock-test', prefix: unique })
  const stop = new AbortController()
  const running: Promise<unknown>[] = []
  const shards = 2
  const source = confluentRegistry({ url: registry.url })
  const direct = { url: registry.direct }

  const policy: Policy = {
    ...{
      v: 1,
      name: 'p',
      riskClass: 'low',
      stages: [],
      guardrails: [],
      noDataAfterMs: 1,
      onGuardrailLoss: [],
      grantMs: 1,
    },
    times: { paneMs: 10_000, latenessMs: 10_000, stallTimeoutMs: 15_000 },
    brakes: { rollbacksPerHour: 1, fleetShare: 1, fleetWindowMs: 1 },
  }
  const people = { owner: 'o', onCall: 'o', approver: 'a' } as Pick<DeploymentDocument, 'owner' | 'onCall' | 'approver'>
  const rest = {
    riskClass: 'low' as const,
    segments: [],
    platform: { kind: 'http' as const, agent: 'a' },
    stable: 'm@v1' as VersionId,
  }
  const watch = watchOf({ policy, document: { ...people, ...rest } })
  /** Says once what is watched, as the governor does. */
  const governor: Processor<boolean> = {
    name: 'governor',
    version: 1,
    empty: () => false,
    step: (said) => [true, said ? [] : [watch]],
    save: (said) => Buffer.from(String(said)),
    load: (bytes) => Buffer.from(bytes).toString() === 'true',
  }
  const start = () => {
    const common = { log, clock: systemClock, random: Math.random, logger: pino({ level: 'silent' }), build: 'test' }
    const gate = new SchemaGate({ ...common, source, waitMs })
    const host = <State>(
      processor: Processor<State>,
      owned: readonly number[],
      inputs: (shard: number) => readonly InputSource[],
    ) =>
      runHost(
        { ...common, newOwner: randomUUID, membership: staticMembership(owned), processor, inputs, gate },
        stop.signal,
      )
    running.push(
      gate.run(stop.signal),
      host(governor, [0], () => []),
      host(createProfiler(), [0, 1], (shard) =>
        profilerInputs(shard, [{ predictions: 'predictions' }], 1, undefined, true),
      ),
    )
  }
  /** What became of the rows of a partition so far. */
  const told = async (shard: number) => {
    const { end } = await log.bounds('log.profiler', shard)
    const sum = { counted: 0, dead: {} as Record<string, number>, details: [] as string[] }
    for await (const { entry } of validEntries(log, { topic: 'log.profiler', partition: shard }, -1n, end)) {
      for (const out of entry.outs.map(decodeOut)) {
        if (out.kind === 'dead-letter') sum.details.push((out as DeadLetterOut).detail)
        if (out.kind !== 'progress') continue
        const { counted, dead } = out as ProgressOut
        sum.counted += counted
        for (const [reason, rows] of Object.entries(dead)) sum.dead[reason] = (sum.dead[reason] ?? 0) + rows
      }
    }
    return sum
  }
  const within = { timeout: 20_000, interval: 200 }
  const now = () => prediction({ eventTimeMs: Date.now() })
  const send = async (partition: number, value: Uint8Array) => {
    expect(await log.append('predictions', partition, { value })).not.toBe('unknown')
  }
  const post = async (subject: string, body: object, method = 'POST', about = `subjects/${subject}/versions`) => {
    const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
    const response = await fetch(`${registry.direct}/${about}`, { method, headers, body: JSON.stringify(body) })
    return { status: response.status, answer: (await response.json()) as { id?: number; message?: string } }
  }
  /** Under another id than ours: other schemas come before it. */
  const register = async (subject: string, extra: string) => {
    const type = (name: string) => ({ type: 'record', name, fields: [{ name: extra, type: ['null', 'string'] }] })
    const { answer } = await post(subject, { schema: JSON.stringify(type(`T${extra.replaceAll('.', '')}`)) })
    return answer.id!
  }

  beforeAll(async () => {
    await log.createTopic('predictions', { partitions: shards })
    await log.createTopic('log.profiler', { partitions: shards })
    await log.createTopic('log.governor', { partitions: 1 })
    await log.createTopic('schemas', { partitions: 1 })
    await log.createTopic('snapshots', { partitions: shards, compacted: true })
  })
  afterAll(async () => {
    stop.abort()
    await Promise.allSettled(running)
    await log.close()
  })

  test('the registry is away at start: other partitions go on, and when it comes messages are read', async () => {
    const id = await registerSchema(direct, 'prediction', `${unique}predictions`)
    registry.cut()
    start()
    await send(0, encodeEventAvro('prediction', now(), id))
    await send(1, encodeEventJson([now()]))
    await expect.poll(async () => (await told(1)).counted, within).toBe(1)
    expect((await told(0)).counted).toBe(0)
    registry.mend()
    await expect.poll(async () => (await told(0)).counted, within).toBe(1)
    expect(await told(0)).toMatchObject({ dead: {} })
  })

  test('away during the run: cached schemas go on; a new one waits its time and no longer, then is a dead letter', async () => {
    const known = await registerSchema(direct, 'prediction', `${unique}predictions`)
    const { answer } = await post(`${unique}again-value`, {
      schema: JSON.stringify({
        ...(ownRegistry.newest('prediction').json as object),
        doc: 'another text, and so another schema',
      }),
    })
    registry.cut()
    const before = await told(0)
    await send(0, encodeEventAvro('prediction', now(), known))
    await expect.poll(async () => (await told(0)).counted, within).toBe(before.counted + 1)
    await send(0, encodeEventAvro('prediction', now(), answer.id!))
    await send(0, encodeEventAvro('prediction', now(), known))
    await send(1, encodeEventAvro('prediction', now(), known))
    await expect.poll(async () => (await told(1)).counted, within).toBe(2)
    await expect.poll(async () => (await told(0)).dead, within).toEqual({ 'unknown-schema': 1 })
    await expect.poll(async () => (await told(0)).counted, within).toBe(before.counted + 2)
    registry.mend()
    await expect
      .poll(async () => {
        await send(0, encodeEventAvro('prediction', now(), answer.id!))
        return (await told(0)).counted
      }, within)
      .toBeGreaterThan(before.counted + 2)
  })

  test('an id that the registry does not have, and one of a schema that is not Avro, are dead letters with their reason', async () => {
    const json = await post(`${unique}json-value`, {
      schemaType: 'JSON',
      schema: '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}',
    })
    expect(json).toMatchObject({ status: 200 })
    await send(1, encodeEventAvro('prediction', now(), 4_000_000))
    await send(1, encodeEventAvro('prediction', now(), json.answer.id))
    await expect.poll(async () => (await told(1)).dead, within).toEqual({ 'unknown-schema': 2 })
    const { details } = await told(1)
    expect(details[0]).toContain('schema id 4000000 is not in the registry')
    expect(details[1]).toContain('is a schema of another kind than Avro')
  })

  test('the client is told why a schema is refused, and what the source cannot reach is worth another try', async () => {
    const subject = `${unique}strict-value`
    await register(subject, 'old')
    await post('', { compatibility: 'FULL' }, 'PUT', `config/${subject}`)
    const refused = registerSchema({ ...direct, subject }, 'prediction', 'any')
    await expect(refused).rejects.toThrow(SchemaRefused)
    await expect(refused).rejects.toThrow(/409|ncompatible/)
    registry.cut()
    await expect(source.fetch(4_000_001)).rejects.toThrow(RegistryUnavailable)
    registry.mend()
  })

  test('everything is read again alike with no registry about', async () => {
    registry.cut()
    stop.abort()
    await Promise.all(running)
    for (const shard of [0, 1]) {
      const report = await verifyReplay({ log, processor: createProfiler(), shard, wanted: 0n })
      expect(report.mismatches).toEqual([])
      expect(report.stateHashes).toBeGreaterThan(0)
    }
  })
}
