import type { Hash, KeyEntry, KeysetDocument, Observed, Order, PersonId } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { approvalLifeMs, approved, withApproval } from './approvals.ts'
import { attentionOf } from './attention.ts'
import { mayRollBackByItself } from './brakes.ts'
import { fleetView } from './fleet.ts'
import { grantFor, renewalDue } from './grants.ts'
import { releasableByPerson, withHold, withoutHold } from './holds.ts'
import { blockers, isInconclusive } from './promotion.ts'
import { policy, v1, v2 } from './sample.ts'
import { nextGeneration, raised, restored, severityOf, standsInTheWay } from './severity.ts'
import { rollbackTarget } from './targets.ts'
import { trafficSince, verify, weightsAgree } from './verification.ts'

const order = fc.tuple(fc.nat(9), fc.nat(9), fc.integer({ min: 0, max: 4 }), fc.nat(99)) as fc.Arbitrary<Order>

test('raising never lowers a severity, and every way to a new order makes a higher one', () => {
  fc.assert(
    fc.property(order, fc.constantFrom(0, 1, 2, 3, 4), (from, severity) => {
      const next = raised(from, severity as 0)
      if (severity < severityOf(from)) expect(next).toBeUndefined()
      else expect(next?.[3]).toBe(from[3] + 1)
      expect(nextGeneration(from)[0]).toBe(from[0] + 1)
      expect(restored(from)[1]).toBe(from[1] + 1)
    }),
    { seed: 5 },
  )
  expect([0, 1, 2, 3, 4].map((severity) => standsInTheWay([1, 0, severity, 1]))).toEqual([
    false,
    true,
    true,
    false,
    true,
  ])
})

const person = (holder: string, may: readonly string[]): KeyEntry => ({
  keyId: holder,
  publicKey: '',
  roles: ['person'],
  holder,
  may,
})
const keys: KeysetDocument = {
  kind: 'keyset',
  version: 1,
  keys: [
    person('ada', ['policy-approver']),
    person('bea', ['policy-approver']),
    person('bea', ['on-call']),
    person('cho', ['on-call']),
  ],
}
const hash = (text: string): Hash => text as Hash
const yes = (by: string, at = 0) => ({ object: hash('doc'), by: by as PersonId, at, comment: '' })

test('an approval counts people and not keys, never the author, never without the role, never for other bytes, for a day', () => {
  const check = (approvals: readonly ReturnType<typeof yes>[], object = 'doc', time = 0) =>
    approved(approvals, hash(object), ['ada' as PersonId], 'policy-approver', 1, keys, time)
  expect(check([yes('bea')])).toEqual({ ok: true, have: 1, needed: 1 })
  expect(check([yes('ada')]).ok).toBe(false)
  expect(check([yes('cho')]).ok).toBe(false)
  expect(check([yes('bea')], 'edited').ok).toBe(false)
  expect(check([yes('bea')], 'doc', approvalLifeMs + 1).ok).toBe(false)
  expect(approved([yes('bea'), yes('bea')], hash('doc'), [], 'policy-approver', 2, keys, 0)).toMatchObject({
    ok: false,
    have: 1,
  })
  expect(withApproval([yes('bea', 1)], yes('bea', 2))).toEqual([yes('bea', 2)])
})

test('holds are a set by owner; a person lifts those that people gave, and those that only a person can end', () => {
  const holds = ['person:ada', 'guardrail:errors', 'expired'].reduce(
    (all, owner) => withHold(all, { owner, reason: '' }),
    [] as ReturnType<typeof withHold>,
  )
  expect(withHold(holds, { owner: 'expired', reason: 'again' })).toBe(holds)
  expect(releasableByPerson(holds)).toEqual(['expired', 'person:ada'])
  expect(withoutHold(holds, 'expired').map(({ owner }) => owner)).toEqual(['guardrail:errors', 'person:ada'])
})

const stage = {
  target: hash('v1'),
  candidate: hash('v2'),
  shareMax: 0.1,
  shadow: false,
  pace: 'at-once',
  fallback: false,
} as const
const gone = { ...stage, candidate: null, shareMax: 0 } as const
const observed = (change: Partial<Observed> = {}): Observed => ({
  version: '',
  generation: 1,
  stable: hash('v1'),
  candidate: hash('v2'),
  share: 0.1,
  shadow: false,
  fallback: false,
  ...change,
})
const rows = (pane: number, stable: number, candidate: number) => ({
  pane,
  counts: [
    { version: v1, variant: 'stable', rows: stable } as const,
    { version: v2, variant: 'candidate', rows: candidate } as const,
  ],
})

test('verified needs both eyes: the weights and 50 answers after the apply fact with at most 1 % of the version that left', () => {
  const expected = { desired: gone, target: v1, candidate: v2 }
  const weights = observed({ candidate: null, share: 0 })
  const seen = (panes: readonly ReturnType<typeof rows>[], time = 1_000, own: Observed | null = weights) =>
    verify(expected, own, panes, 1_000, time)
  expect(seen([rows(1_000, 99, 1)])).toBe('verified')
  expect(seen([rows(1_000, 98, 2)])).toBe('waiting')
  expect(seen([rows(1_000, 49, 0)])).toBe('waiting')
  expect(seen([rows(1_000, 49, 0)], 6_000)).toBe('verified')
  // Panes that began before the apply fact prove nothing.
  expect(seen([rows(999, 500, 0)])).toBe('waiting')
  expect(seen([], 15_999)).toBe('waiting')
  expect(seen([], 16_000)).toBe('weights-only')
  expect(seen([rows(1_000, 500, 0)], 99_000, null)).toBe('waiting')
  expect(seen([rows(1_000, 500, 0)], 99_000, observed())).toBe('waiting')
})

test('a share is verified within 1 % and what sampling explains; a stranger is not', () => {
  const expected = { desired: stage, target: v1, candidate: v2 }
  expect(trafficSince(expected, [rows(0, 9_000, 1_000)], 0).agrees).toBe(true)
  expect(trafficSince(expected, [rows(0, 8_700, 1_300)], 0).agrees).toBe(false)
  expect(trafficSince(expected, [rows(0, 9_700, 300)], 0).agrees).toBe(false)
  expect(weightsAgree(stage, observed({ share: 0.12 }))).toBe(false)
  expect(weightsAgree(stage, observed({ candidate: hash('v3') }))).toBe(false)
  expect(weightsAgree(gone, observed({ candidate: null, share: 0, fallback: true }))).toBe(false)
})

test('a rollback goes to the first version that is ready and was not itself rolled back, else to the one that serves', () => {
  const release = (name: string) => ({
    version: name as typeof v1,
    digest: hash(name),
    manifest: hash(''),
    baseline: hash(''),
  })
  const [a, b, c] = [release('a'), release('b'), release('c')]
  const ask = (
    readiness: Record<string, { ok: boolean; at: number; detail: string }>,
    rolledBack: readonly string[] = [],
  ) =>
    rollbackTarget({ choices: [a!, b!, c!], serving: a!.version, rolledBack: rolledBack as never, readiness }, 100_000)
      ?.version ?? null
  const good = { ok: true, at: 99_000, detail: '' }
  const bad = { ok: false, at: 99_000, detail: 'bytes differ' }
  expect(ask({ a: good, b: good })).toBe('a')
  expect(ask({ b: good })).toBe('a')
  expect(ask({ a: bad, b: good })).toBe('b')
  expect(ask({ a: bad })).toBeNull()
  expect(ask({ a: good, b: good }, ['a'])).toBe('b')
  expect(ask({ a: { ...good, at: 1 } })).toBe('a')
})

test('a grant says what the agent does alone, never with more share, and is renewed every third of its length', () => {
  const grant = grantFor(policy([]), stage)
  expect(grant?.onLapse.map(({ desired }) => [desired.shareMax, desired.candidate, desired.fallback])).toEqual([
    [0.1, 'v2', false],
    [0, null, false],
    [0, null, true],
  ])
  expect(grantFor(policy([]), gone)).toBeNull()
  expect(grantFor(policy([]), { ...stage, shareMax: 0, shadow: true })).toBeNull()
  expect([9_999, 10_000].map((time) => renewalDue(grant!, 0, time))).toEqual([false, true])
})

test('two automatic rollbacks within an hour are enough', () => {
  const hour = 3_600_000
  expect(mayRollBackByItself(policy([]), [hour - 2], hour)).toBe(true)
  expect(mayRollBackByItself(policy([]), [hour - 2, hour - 1], hour)).toBe(false)
  expect(mayRollBackByItself(policy([]), [0, hour - 1], hour)).toBe(true)
})

test('minimum time and rows block, and maximum time without safety is inconclusive, never a promotion', () => {
  const rules = policy([])
  const stageOne = rules.stages[0]!
  const engines = (['technical', 'approvals', 'observability'] as const).map((engine) => ({
    engine,
    state: 'ok' as const,
    detail: '',
  }))
  const ask = (rowsNow: number, paneEnd: number, change = {}) =>
    blockers({
      policy: rules,
      stage: stageOne,
      clock: { index: 0, from: 0, rows: rowsNow },
      paneEnd,
      holds: [],
      engines,
      command: 'verified',
      judged: [],
      ...change,
    })
  expect(ask(500, 10_000)).toEqual([])
  expect(ask(499, 10_000).map(({ kind }) => kind)).toEqual(['rows'])
  expect(ask(500, 9_999).map(({ kind }) => kind)).toEqual(['time'])
  expect(ask(500, 10_000, { command: 'applied' }).map(({ kind }) => kind)).toEqual(['command'])
  for (const missing of [0, 1, 2]) {
    const some = engines.map((engine, index) => (index === missing ? { ...engine, state: 'missing' as const } : engine))
    expect(ask(500, 10_000, { engines: some }).map(({ kind }) => kind)).toEqual(['engine'])
  }
  const clock = { index: 0, from: 0, rows: 0 }
  expect(isInconclusive(stageOne, clock, 60_000, ask(0, 60_000))).toBe(true)
  expect(isInconclusive(stageOne, clock, 59_999, ask(0, 59_999))).toBe(false)
})

test('the fleet brakes at more than its share, never for one or two deployments, and names the producer they share', () => {
  const want = (deployment: string, at: number, producer: string | null) => ({
    deployment: deployment as never,
    at,
    producer,
  })
  const rule = { share: 0.2, windowMs: 300_000 }
  const three = [want('a', 0, 'north'), want('b', 1, null), want('c', 2, 'north'), want('c', 3, 'north')]
  expect(fleetView(three, 14, rule, 10)).toEqual({ on: true, deployments: ['a', 'b', 'c'], sharedProducer: 'north' })
  expect(fleetView(three, 15, rule, 10).on).toBe(false)
  expect(fleetView(three.slice(0, 2), 2, rule, 10).on).toBe(false)
  expect(fleetView(three, 14, rule, 300_001).deployments).toEqual(['c'])
  expect(fleetView([...three, want('d', 4, 'south')], 14, rule, 10).sharedProducer).toBeNull()
})

test('attention: the worst word first, and healthy only when every guardrail passes', () => {
  const calm = {
    order: [1, 0, 0, 1],
    command: 'verified',
    waitsForPerson: false,
    watched: true,
    holds: 0,
    verdicts: ['pass'],
  } as const
  expect(attentionOf(calm)).toBe('healthy')
  for (const verdict of ['watch', 'breach', 'inconclusive', 'no-data'] as const) {
    expect(attentionOf({ ...calm, verdicts: ['pass', verdict] })).toBe('watch')
  }
  expect(attentionOf({ ...calm, verdicts: [] })).toBe('watch')
  expect(attentionOf({ ...calm, holds: 1 })).toBe('watch')
  expect(attentionOf({ ...calm, watched: false })).toBe('not-watched')
  expect(attentionOf({ ...calm, order: [1, 0, 3, 2] })).toBe('handled')
  expect(attentionOf({ ...calm, order: [1, 0, 3, 2], command: 'applied' })).toBe('act-now')
  expect(attentionOf({ ...calm, watched: false, command: 'escalated' })).toBe('act-now')
})
