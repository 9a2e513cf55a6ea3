/**
 * A bad candidate is rolled back by the machine while `interlock up` is killed again and again. The receipt must list exactly
 * the answers that users got from it since the onset, held against a recount of the raw input by another decoder.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkReceipt, keptReceipts, loadConfig, publicKeys, receiptFolder, receiptLister } from '@interlock/cli'
import type { ReceiptPlan } from '@interlock/console'
import {
  contentTypes,
  type DecisionOut,
  type EvidenceOut,
  encodeEventAvro,
  type Prediction,
} from '@interlock/contracts'
import { type EventLog, openSqliteLog, RangeGone, seededRandom, systemClock } from '@interlock/runtime'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, startUp, type Up, until } from '../process/interlock.ts'
import { outsOf } from '../process/records.ts'
import { nextVersion, predictions, slowPolicy, version } from '../process/small-deployment.ts'
import { type WatchedDeployment, watchedDeployment } from '../process/watched-deployment.ts'
import { type Answer, answersIn, asLine, withoutLate } from './recount.ts'

const seed = Number(process.env.SEED ?? 20_261_124)
const kills = Number(process.env.KILLS ?? 4)
const random = seededRandom(seed)

let toy: WatchedDeployment
let up: Up
let file: string
let log: EventLog

beforeAll(async () => {
  toy = await watchedDeployment({ policy: slowPolicy })
  up = toy.up
  file = join(toy.folder, 'receipt.jsonl')
}, 60_000)
afterAll(async () => {
  up?.child.kill('SIGKILL')
  await log?.close()
  await toy?.remove()
})

const post = async (batch: readonly Prediction[]): Promise<boolean> => {
  const answer = await toy
    .post('/ingest/predictions', JSON.stringify({ records: batch }), { 'content-type': contentTypes.json })
    .catch(() => null)
  return answer?.status === 200
}
let sent = 0
const batchOf = (rows: number, changes: Partial<Prediction>): readonly Prediction[] =>
  predictions(rows, seed + sent++, Date.now, `e${sent}`, changes)
const ofCandidate = (changes: Partial<Prediction> = {}): Partial<Prediction> => ({
  version: nextVersion,
  variant: 'candidate',
  generation: 1,
  ...changes,
})
const decisions = async (): Promise<readonly DecisionOut[]> => {
  const { token, url } = JSON.parse(await readFile(join(toy.files.data, 'endpoint.json'), 'utf8')) as Record<
    string,
    string
  >
  const answer = await fetch(`${url}/api/v1/deployments/toy/decisions`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return ((await answer.json()) as { body: { decisions: DecisionOut[] } }).body.decisions
}

/** Traffic as the stand-in router's state says; whatever `up` does not take meanwhile is not an input. */
async function traffic(ms: number, bad: boolean): Promise<void> {
  const end = Date.now() + ms
  while (Date.now() < end) {
    const { generation, candidate } = toy.router.state()
    await post(batchOf(30, { generation, version }))
    if (candidate !== null) {
      await post(batchOf(30, ofCandidate({ generation, ...(bad ? { status: 'error' } : {}) })))
      await post(batchOf(3, ofCandidate({ generation, variant: 'shadow' })))
    }
    await new Promise((tick) => setTimeout(tick, 60))
  }
}

async function killAndRestart(): Promise<void> {
  up.child.kill('SIGKILL')
  await up.ended
  up = startUp(toy.files.config, Number(new URL(toy.up.url).port), { TOY_TOKEN: toy.router.token })
  await until('an answer', async () => (await fetch(`${toy.up.url}/healthz`)).ok)
}

test(`a candidate goes bad, is rolled back and verified, over ${kills} kill -9 (seed ${seed})`, async () => {
  const started = await toy.cli(
    ...['rollout', 'start', 'toy', '--manifest', toy.files.candidate.manifest],
    ...['--baseline', toy.files.candidate.baseline, '--policy', toy.files.policy],
  )
  expect([started.code, started.stderr]).toEqual([0, ''])
  await until('v2 answering', async () => {
    await traffic(300, false)
    return toy.router.state().candidate !== null
  })
  await traffic(3_000, false)
  for (let kill = 0; kill < kills; kill++) {
    const running = traffic(400 + random() * 800, true)
    await new Promise((tick) => setTimeout(tick, 200 + random() * 500))
    await killAndRestart()
    await running
  }
  await until('the rollback', async () => {
    await traffic(500, true)
    return (await decisions()).some(({ outcome }) => outcome === 'rolled-back')
  })
  await until('the proof', async () => {
    await traffic(500, true)
    return (await decisions()).some(({ outcome, facts }) => outcome === 'verified' && facts.what === 'roll-back')
  })
  // Answers on their way: late ones, one in Avro with words that nobody knows, and one that nobody counts.
  const late = Date.now() - 4_000
  expect(await post(batchOf(7, ofCandidate({ eventTimeMs: late, status: 'error' })))).toBe(true)
  const odd = ofCandidate({
    prediction: 'side\nways "quoted"',
    segments: { airport: 'Zürich' },
    producer: 'nobody',
    unit: 'ü'.repeat(400),
  })
  const [one] = batchOf(1, odd)
  await toy.post('/ingest/predictions', encodeEventAvro('prediction', one!), { 'content-type': contentTypes.avro })
  await post(batchOf(2, ofCandidate({ generation: 9 })))
  await traffic(1_000, true)
}, 120_000)

interface Header {
  readonly file: string
  readonly complete: boolean
  readonly plan: {
    readonly onset: { readonly from: number; readonly source: string }
    readonly decision: string
    readonly order: number[]
  }
  readonly end: {
    readonly rows: number
    readonly late: number
    readonly sums: { dimension: string; value: string; rows: number }[]
    readonly dead: Record<string, number>
  }
}
let header: Header
let rows: readonly string[]
let recount: readonly Answer[]

test('the receipt is whole, signed by the operator, and says how it knows the onset', async () => {
  const made = await toy.cli('receipt', 'toy', '--out', file, '--json')
  expect([made.code, made.stderr]).toEqual([0, ''])
  header = documentOf(made) as unknown as Header
  expect(header.complete).toBe(true)
  expect(header.plan.onset.source).toBe('evidence')
  rows = (await readFile(file, 'utf8')).split('\n').slice(1, -1)
  expect(rows).toHaveLength(header.end.rows)
  expect(header.end.dead['wrong-generation']).toBe(2)
})

test('a decision and a command name the same receipt as the deployment', async () => {
  for (const named of [header.plan.decision, `toy/${header.plan.order.join('.')}`]) {
    const other = join(toy.folder, 'other.jsonl')
    const made = await toy.cli('receipt', named, '--out', other, '--json')
    expect(made.code).toBe(0)
    expect((await readFile(other, 'utf8')).split('\n').slice(1, -1)).toEqual(rows)
  }
  const none = await toy.cli('receipt', 'toy/9.9.9.9')
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('9.9.9.9')])
})

test('guarded minutes tell of both versions, and their gaps and watched time make up the serving time', async () => {
  const ran = await toy.cli('guarded', 'toy', '--json')
  const { versions } = documentOf(ran) as {
    versions: { version: string; servingMs: number; watchedMs: number; causes: Record<string, number> }[]
  }
  expect(versions.map((one) => one.version)).toEqual([version, nextVersion])
  for (const { servingMs, watchedMs, causes } of versions) {
    expect(servingMs).toBeGreaterThan(5_000)
    expect(watchedMs + Object.values(causes).reduce((sum, ms) => sum + ms, 0)).toBe(servingMs)
  }
  // Registered and not approved yet: it served, and nothing was in force.
  expect(versions[0]?.causes['not-in-force']).toBeGreaterThan(0)
})

test('it lists exactly the answers of v2 from the onset on: precision and recall are 1 against a recount of the input', async () => {
  up.child.kill('SIGTERM')
  expect(await up.ended).toBe(0)
  log = openSqliteLog({ folder: join(toy.files.data, 'log') })
  const all = await answersIn(log)
  recount = all.filter(
    ({ event }) =>
      event.version === nextVersion &&
      event.variant !== 'shadow' &&
      event.generation <= 1 &&
      event.eventTimeMs >= header.plan.onset.from,
  )
  expect(recount.length).toBeGreaterThan(100)
  expect(rows.map(withoutLate).toSorted()).toEqual(recount.map(asLine).toSorted())
  // It leaves answers of v2 from before the onset out, and there were some.
  expect(
    all.filter(({ event }) => event.version === nextVersion && event.eventTimeMs < header.plan.onset.from).length,
  ).toBeGreaterThan(20)
  const bySum = new Map(header.end.sums.map(({ dimension, value, rows: sum }) => [`${dimension} ${value}`, sum]))
  const byCount = new Map<string, number>()
  for (const { event } of recount) {
    for (const key of [
      `producer ${event.producer}`,
      `status ${event.status}`,
      `segment:airport ${event.segments.airport}`,
    ]) {
      byCount.set(key, (byCount.get(key) ?? 0) + 1)
    }
  }
  expect(new Map([...bySum].toSorted())).toEqual(new Map([...byCount].toSorted()))
})

test('as many rows are marked late as the evaluator set aside as late', async () => {
  const evidence = (await outsOf(log, 'evaluator', 'evidence')) as EvidenceOut[]
  const late = evidence.findLast(({ generation }) => generation === 1)?.late ?? 0
  expect(rows.filter((line) => line.includes('"late":true'))).toHaveLength(header.end.late)
  expect(header.end.late).toBeGreaterThanOrEqual(7)
  // The evaluator counts late rows of all versions.
  expect(header.end.late).toBeLessThanOrEqual(late)
})

test('the signature and every row are verified offline; a row that was changed, added, moved or left out is found', async () => {
  const good = await toy.cli('receipt', 'verify', file)
  expect([good.code, good.stderr]).toEqual([0, ''])
  expect(good.stdout).toContain('signed by author')
  const text = await readFile(file, 'utf8')
  const [head, ...body] = text.split('\n').slice(0, -1) as [string, ...string[]]
  const moved = [body[1]!, body[0]!, ...body.slice(2)]
  const forged: Readonly<Record<string, string>> = {
    changed: [head, body[0]!.replace(/"unit":"[^"]*"/, '"unit":"u0x"'), ...body.slice(1), ''].join('\n'),
    added: [head, ...body, body[0], ''].join('\n'),
    'left out': [head, ...body.slice(1), ''].join('\n'),
    moved: [head, ...moved, ''].join('\n'),
    cut: text.slice(0, -20),
    header: [
      head.replace(/"payload":"(.)/, (_, one: string) => `"payload":"${one === 'A' ? 'B' : 'A'}`),
      ...body,
      '',
    ].join('\n'),
    empty: '',
  }
  const { keyset } = await publicKeys(loadConfig(toy.files.config))
  expect((await checkReceipt(file, keyset.keys)).ok).toBe(true)
  const bad = join(toy.folder, 'forged.jsonl')
  for (const [what, content] of Object.entries(forged)) {
    await writeFile(bad, content)
    expect([what, (await checkReceipt(bad, keyset.keys)).ok]).toEqual([what, false])
  }
  const others = keyset.keys.filter(({ holder }) => holder !== 'author')
  expect(await checkReceipt(file, others)).toEqual({ ok: false, why: expect.stringContaining('unknown-key') })
  const ran = await toy.cli('receipt', 'verify', bad)
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('empty')])
})

test('once a withdrawal is verified its receipt is made without being asked for, and one that is there stays', async () => {
  const config = loadConfig(toy.files.config)
  const logger = pino({ level: 'silent' })
  const plan = header.plan as unknown as ReceiptPlan
  const kept = keptReceipts({ config, log, clock: systemClock, logger }, () => plan, 0)
  const stop = new AbortController()
  const running = kept.part(stop.signal)
  const verified = (await outsOf(log, 'governor', 'decision')).find(({ id }) => id === plan.verified?.decision)
  kept.see(verified!)
  const made = join(receiptFolder(config.data), `toy-${plan.decision}.jsonl`)
  await until('the receipt', async () => (await readFile(made)).length > 0)
  expect((await readFile(made, 'utf8')).split('\n').slice(1, -1)).toEqual(rows)
  await writeFile(made, 'kept')
  kept.see(verified!)
  await new Promise((tick) => setTimeout(tick, 1_500))
  expect(await readFile(made, 'utf8')).toBe('kept')
  stop.abort()
  await running
})

test('where records have expired it says so with the counts of what is gone, and is never complete', async () => {
  const places = recount.map(({ place }) => BigInt(place.split('/')[2]!)).toSorted((a, b) => (a < b ? -1 : 1))
  const from = places[Math.floor(places.length / 2)]!
  const expired: EventLog = new Proxy(log, {
    get(target, name) {
      if (name !== 'read') return Reflect.get(target, name).bind(target)
      return async function* read(range: Parameters<EventLog['read']>[0]) {
        if (range.topic === 'predictions' && range.from < from && range.to > range.from)
          throw new RangeGone(range, { begin: from, end: range.to })
        yield* target.read(range)
      }
    },
  })
  const plan = header.plan as unknown as ReceiptPlan
  let listed = 0
  for await (const part of receiptLister(expired)(plan)) {
    if ('row' in part) listed++
    else {
      expect(part.end.rows).toBe(listed)
      expect(part.end.expired.rows).toBeGreaterThan(0)
      expect(part.end.rows + part.end.expired.rows).toBe(recount.length)
      expect(part.end.expired.spans).toHaveLength(1)
    }
  }
  expect(listed).toBeGreaterThan(0)
})

test('an input that is no longer what was counted makes no receipt', async () => {
  const offset = BigInt(recount.at(-10)!.place.split('/')[2]!)
  const changed: EventLog = new Proxy(log, {
    get(target, name) {
      if (name !== 'read') return Reflect.get(target, name).bind(target)
      return async function* read(range: Parameters<EventLog['read']>[0]) {
        for await (const batch of target.read(range)) {
          const records = batch.records.map((record) => {
            if (record.topic !== 'predictions' || record.offset !== offset) return record
            const text = Buffer.from(record.value!).toString('utf8')
            return { ...record, value: Buffer.from(text.replace('"producer":"east"', '"producer":"west"')) }
          })
          yield { ...batch, records }
        }
      }
    },
  })
  const listAll = async (): Promise<void> => {
    for await (const _ of receiptLister(changed)(header.plan as unknown as ReceiptPlan));
  }
  await expect(listAll()).rejects.toThrow(/counts them otherwise.*replay --verify/)
})
