import { canonicalJson, contentHash, type Input, type KeysetDocument, type PersonId } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rootHolder } from './processor.ts'
import { type Look, Rehearsal } from './rehearsal.ts'
import {
  agentName,
  baselineOf,
  deploymentDocument,
  digestOf,
  flights,
  keyset,
  manifestOf,
  policyDocument,
  v1,
  v2,
} from './rehearsal-cast.ts'
import type { GovernorState } from './state.ts'

const seed = 20_260_418
console.log(`laws of the governor: seed ${seed}`)

function copy(story: Rehearsal): Rehearsal {
  const other = new Rehearsal()
  other.state = story.state
  other.time = story.time
  other.observed = story.observed
  other.outs = [...story.outs]
  return other
}

function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const field of Object.values(value)) freeze(field)
  }
  return value
}

/** The state without the alerts and texts that count how it came about. */
function endOf(state: GovernorState): unknown {
  const record = state.deployments[flights]
  return { ...record, shown: null, sequence: 0, openAlerts: {}, standing: null, ledger: null, pages: [] }
}

test('any order and repetition of the inputs about a command ends in one state', () => {
  const start = new Rehearsal().canary().seconds(1, { 'inputs/v2': { harm: 12 } })
  start.time += 1_000
  const inputs = [...start.agent(), start.out({ ...start.served(), pane: start.time + 1_000 })]
  const twice = Array.from({ length: inputs.length * 2 }, (_, index) => index)
  const straight = copy(start)
  straight.step(inputs)
  const end = endOf(straight.state)
  expect(straight.state.deployments[flights]?.command?.state).toBe('verified')
  fc.assert(
    fc.property(fc.shuffledSubarray(twice, { minLength: twice.length }), (order) => {
      const arrived = order.flatMap((index) => inputs[index % inputs.length] ?? [])
      const story = copy(start)
      story.step(arrived)
      expect(endOf(story.state)).toEqual(end)
      // One input a step: other batches, the same end.
      const single = copy(start)
      for (const input of arrived) single.step([input])
      expect(endOf(single.state)).toEqual(end)
    }),
    { seed, numRuns: 25 },
  )
})

const look: fc.Arbitrary<Look> = fc.record({
  harm: fc.constantFrom(0, 0, 4, 12),
  safe: fc.constantFrom(0, 10),
  status: fc.constantFrom('ok', 'ok', 'ok', 'too-few', 'no-data', 'incomplete'),
})
const looks = fc.record({
  'errors/v2': look,
  'inputs/v2': look,
  'inputs-training/v1': look,
  'inputs-training/v2': look,
})
const moment = fc.record({
  looks,
  agentAnswers: fc.boolean(),
  rowsPerPane: fc.constantFrom(0, 1_000),
  coverage: fc.constantFrom(1, 1, 1, 0.5),
})

test('whatever the evidence and the agent do: nothing automatic lowers a severity, orders only rise, and a pass is needed to promote', () => {
  fc.assert(
    fc.property(fc.array(moment, { minLength: 5, maxLength: 25 }), (moments) => {
      const story = new Rehearsal().rollingOut()
      for (const { looks: seen, agentAnswers, rowsPerPane, coverage } of moments) {
        story.time += 1_000
        story.rowsPerPane = rowsPerPane
        const before = story.outs.length
        const evidence = story.out(story.evidence(seen, { coverage }))
        freeze(story.state)
        story.step(agentAnswers ? [...story.agent(), evidence] : [evidence])
        const decided = story.outs.slice(before).filter((out) => out.kind === 'decision')
        const isWell = coverage === 1 && Object.values(seen).every(({ status }) => status === 'ok')
        for (const { outcome, before: was, after } of decided) {
          expect(after.order[2]).toBeGreaterThanOrEqual(was.order[2])
          // The first stage rests on no evidence and exposes nobody; every other one on all of it.
          if (outcome === 'completed' || (outcome === 'promoted' && was.stageIndex >= 0)) {
            expect(isWell).toBe(true)
            expect(seen['errors/v2'].safe).toBe(10)
          }
        }
      }
      const orders = story.outs.filter((out) => out.kind === 'command').map(({ command }) => canonicalJson(command))
      const revisions = story.outs.filter((out) => out.kind === 'command').map(({ command }) => command.order[3])
      expect([...revisions].sort((a, b) => a - b)).toEqual(revisions)
      // One order names one command, for ever: sent again it is the same bytes.
      expect(new Set(orders).size).toBe(new Set(revisions).size)
    }),
    { seed, numRuns: 25 },
  )
})

test('save and load is the identity, and the step after it puts out the same', () => {
  const story = new Rehearsal()
    .canary()
    .seconds(1, { 'inputs/v2': { harm: 12 } })
    .seconds(1)
  const loaded = story.governor.load(story.governor.save(story.state), 2)
  expect(loaded).toEqual(story.state)
  story.time += 1_000
  const inputs = [...story.agent(), story.out(story.served()), story.out(story.evidence())]
  const [a, outsA] = story.governor.step(story.state, inputs, story.time, true)
  const [b, outsB] = story.governor.step(loaded, inputs, story.time, true)
  expect(outsB).toEqual(outsA)
  expect(Buffer.from(story.governor.save(b)).equals(story.governor.save(a))).toBe(true)
  expect(() => story.governor.load(new Uint8Array(), 3)).toThrow('version 3')
})

test('a hostile record is a dead letter with its reason, and changes nothing', () => {
  const story = new Rehearsal().canary()
  const rollback = { kind: 'rollback', deployment: flights, reason: 'x' } as const
  const forged = story.request('cho', rollback)
  if (forged.kind !== 'record' || forged.record.value === null) throw new Error('a record')
  const altered = Buffer.from(forged.record.value)
  altered[altered.length - 20] = (altered[altered.length - 20] ?? 0) ^ 1
  const observed = story.serving(9, null, 0, false)
  const cases: readonly (readonly [string, Input])[] = [
    ['bad-signature', story.request('cho', rollback, { key: 'nobody' })],
    ['bad-signature', story.request('cho', rollback, { key: 'ada' })],
    ['bad-signature', story.request(rootHolder, rollback, { key: 'root' })],
    ['bad-signature', story.request('ada', { kind: 'document', document: keyset })],
    ['wrong-environment', story.request('cho', rollback, { environment: 'production' })],
    ['unregistered', story.request('cho', { ...rollback, deployment: 'other' as typeof flights })],
    ['unregistered', story.request('cho', { ...rollback, deployment: '__proto__' as typeof flights })],
    ['malformed', story.record('requests', new Uint8Array([1, 2, 3]))],
    ['malformed', story.record('requests', Buffer.from('{"__proto__":{}}'))],
    ['bad-signature', story.fact({ kind: 'received', order: [1, 0, 0, 1] }, 'other-agent')],
    ['bad-signature', story.fact({ kind: 'received', order: [1, 0, 0, 1] }, 'nobody')],
    ['unregistered', story.fact({ kind: 'observed', order: null, observed }, agentName, '__proto__' as typeof flights)],
    ['bad-signature', story.record('facts', forged.record.value)],
    [
      'malformed',
      story.request('ada', { kind: 'document', document: { ...policyDocument(), author: 'bea' as PersonId } }),
    ],
    ['malformed', story.request('ada', { kind: 'document', document: { ...baselineOf(v2), rows: 7 } })],
    ['malformed', story.request('bea', { kind: 'document', document: manifestOf(v2) })],
  ]
  for (const [reason, input] of cases) {
    const [state, outs] = story.governor.step(story.state, [input], story.time, true)
    expect(outs.map((out) => (out.kind === 'dead-letter' ? out.reason : out.kind))).toEqual([reason])
    expect(state).toEqual(story.state)
  }
  const [, outs] = story.governor.step(story.state, [story.record('requests', altered)], story.time, true)
  expect(outs).toMatchObject([{ kind: 'dead-letter' }])
})

test('a request in the wrong partition is refused there', () => {
  const story = new Rehearsal().registered()
  const elsewhere = { ...story.state, shard: 1 }
  const [state, outs] = story.governor.step(
    elsewhere,
    [story.request('cho', { kind: 'hold', deployment: flights, reason: 'x' })],
    story.time,
    true,
  )
  expect(outs).toMatchObject([{ kind: 'dead-letter', reason: 'wrong-partition' }])
  expect(state).toEqual(elsewhere)
})

test('a retry of a request repeats its id and changes nothing', () => {
  const story = new Rehearsal().canary()
  const hold = { kind: 'hold', deployment: flights, reason: 'Wait.' } as const
  story.step([story.request('cho', hold, { id: 'once' })])
  story.step([story.request('cho', { kind: 'release-hold', deployment: flights, reason: 'Go.' }, { id: 'later' })])
  const before = story.decisions().length
  story.step([story.request('cho', hold, { id: 'once' })])
  expect(story.decisions()).toHaveLength(before)
  expect(story.shown().view.holds).toEqual([])
})

test('nobody approves what they wrote or sent, whatever their roles; an edit falls out of its approval', () => {
  const story = new Rehearsal()
  story.step([story.request(rootHolder, { kind: 'document', document: keyset }, { key: 'root' })])
  for (const [by, document] of story.documents()) story.ask(by, { kind: 'document', document })
  story.ask('ada', { kind: 'register', deployment: flights, document: contentHash(deploymentDocument) })
  const own = policyDocument('eve')
  story.ask('eve', { kind: 'document', document: own })
  story.ask('eve', { kind: 'approve', deployment: flights, object: contentHash(own), comment: '' })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'refused', facts: { what: 'approval' } })
  // Whoever sends another's document has had a hand in it too.
  story.ask('eve', { kind: 'document', document: deploymentDocument })
  story.ask('eve', { kind: 'approve', deployment: flights, object: contentHash(deploymentDocument), comment: '' })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'refused' })
  story.ask('bea', { kind: 'approve', deployment: flights, object: contentHash(own), comment: '' })
  expect(story.shown().view.phase).toBe('steady')
  const edited = { ...own, source: `${own.source}\n# one more line\n` }
  story.ask('eve', { kind: 'document', document: edited })
  story.ask('bea', { kind: 'approve', deployment: flights, object: contentHash(deploymentDocument), comment: '' })
  story.seconds(3)
  story.ask('ada', {
    kind: 'rollout',
    deployment: flights,
    candidate: v2,
    manifest: contentHash(manifestOf(v2)),
    policy: contentHash(edited),
  })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'refused', facts: { check: 'the policy is not approved' } })
})

test('keysets come from the root key and only move forward', () => {
  const story = new Rehearsal().registered()
  const next: KeysetDocument = { ...keyset, version: 2, keys: keyset.keys.filter(({ holder }) => holder !== 'cho') }
  story.step([story.request(rootHolder, { kind: 'document', document: next }, { key: 'root' })])
  story.step([story.request('cho', { kind: 'hold', deployment: flights, reason: 'x' })])
  expect(story.last('dead-letter').reason).toBe('bad-signature')
  story.step([story.request(rootHolder, { kind: 'document', document: keyset }, { key: 'root' })])
  expect(story.last('dead-letter').detail).toContain('version 2 is in force')
  expect(story.state.keyset?.version).toBe(2)
})

test('timers wait for inputs that are still to be taken, but not for ever', () => {
  const story = new Rehearsal().canary().seconds(1, { 'inputs/v2': { harm: 12 } })
  story.time += 3_600_000
  expect(story.step([], 0, false).filter(({ kind }) => kind === 'command')).toEqual([])
  const resent: number[] = []
  for (let second = 0; second < 20; second++) {
    story.time += 1_000
    if (story.step([], 0, false).some(({ kind }) => kind === 'command')) resent.push(second)
  }
  expect(resent[0]).toBeGreaterThanOrEqual(10)
})

test('evidence older than the longest decision age may only hold', () => {
  const story = new Rehearsal().canary()
  const old = story.evidence({ 'inputs/v2': { harm: 12 } })
  story.time += 700_000
  story.step([story.out({ ...old, pane: old.pane + 1_000 })], 0, false)
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'held', rule: 'inputs' })
})

test('a person may always raise, also over a standing hold, and only the roles are checked', () => {
  const story = new Rehearsal().canary()
  story.ask('ada', { kind: 'hold', deployment: flights, reason: 'Wait.' })
  story.ask('bea', { kind: 'rollback', deployment: flights, reason: 'Go back.' })
  expect(story.newest()?.order[2]).toBe(3)
  expect(story.newest()?.desired.target).toBe(digestOf(v1))
  const fresh = new Rehearsal().canary()
  fresh.step([fresh.request('bea', { kind: 'release-hold', deployment: flights, reason: 'x' })])
  expect(fresh.decisions().at(-1)).toMatchObject({ outcome: 'refused', facts: { what: 'release' } })
})

test('the brake of the fleet holds every deployment, is obeyed until it is taken off, and never stops a rollback at canary', () => {
  const story = new Rehearsal().canary()
  const brake = {
    kind: 'brake',
    on: true,
    reason: 'Shared data is suspected.',
    deployments: [flights],
    sharedProducer: 'northeast',
  } as const
  story.step([story.out(brake)])
  expect(story.shown().view.holds).toMatchObject([{ owner: 'fleet' }])
  story.seconds(20)
  expect(story.shown().view.share).toBe(0.1)
  const braked = copy(story)
  braked.seconds(1, { 'inputs/v2': { harm: 12 } })
  expect(braked.decisions().at(-1)).toMatchObject({ outcome: 'rolled-back' })
  story.step([story.out({ ...brake, on: false })])
  expect(story.shown().view.holds).toEqual([])
})

test('a fact about an order that this record never gave holds until a person has looked, and later orders are above it', () => {
  const story = new Rehearsal().canary()
  story.step([story.fact({ kind: 'received', order: [5, 0, 0, 900] })])
  expect(story.shown().view.holds).toMatchObject([{ owner: 'agent' }])
  story.ask('cho', { kind: 'rollback', deployment: flights, reason: 'Look first.' })
  expect(story.newest()?.order).toEqual([5, 0, 3, 901])
})
