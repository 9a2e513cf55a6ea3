import { type AnyOut, canonicalJson, contentHash, type DisagreementOut } from '@interlock/contracts'
import { shadowBounds } from '@interlock/deployment'
import { say } from '@interlock/policy'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Look, Rehearsal } from './rehearsal.ts'
import { flights, policyDocument, policySource, v2 } from './rehearsal-cast.ts'
import { beginShadow } from './shadow.ts'

/** The policy in force asks about `inputs`; the one on trial about `inputs-strict` instead, and about the rest alike. */
const shadowSource = policySource.replace('  inputs:\n', '  inputs-strict:\n')

type Looks = Readonly<Record<string, Look>>

/** Registered, with the other policy's document sent; on trial or not, the same requests go before. */
function registered(shadow: string | undefined, document = shadowSource): Rehearsal {
  const story = new Rehearsal().registered()
  story.ask('ada', { kind: 'document', document: policyDocument('ada', document) })
  story.shadow = shadow
  return story
}

function canary(shadow: string | undefined = shadowSource): Rehearsal {
  const story = registered(shadow)
  story.rollout()
  story.counting()
  for (let second = 0; second < 20; second++) {
    story.seconds(1)
    if (story.shown().view.share === 0.1 && story.shown().command?.state === 'verified') return story
  }
  throw new Error('the canary did not begin')
}

function disagreements({ outs }: Rehearsal): readonly DisagreementOut[] {
  return outs.filter((out) => out.kind === 'disagreement')
}

const harm = { harm: 12 }
const onlyShadow: Looks = { 'inputs-strict/v2': harm }
const onlyInForce: Looks = { 'inputs/v2': harm }
const both: Looks = { ...onlyShadow, ...onlyInForce }

test('a rollback that only the policy on trial asks for is told once, in plain words, and nothing is done', () => {
  const story = canary()
  const before = story.decisions().length
  const at = story.time + 1_000
  story.seconds(3, onlyShadow)
  const [told, ...more] = disagreements(story)
  expect(more).toEqual([])
  expect(told).toMatchObject({
    by: 'shadow',
    action: 'roll-back',
    afterMs: null,
    at,
    rule: 'inputs-strict',
    generation: 1,
    inForce: contentHash(policyDocument('ada', policySource)),
    shadow: contentHash(policyDocument('ada', shadowSource)),
  })
  expect(told?.text).toMatch(
    /^Flight distance .* The policy on trial would have rolled back v2 at 22:1\d:\d\d UTC; the policy in force did not\.$/,
  )
  expect(told?.evidence).toBe(story.evidenceSeen.find(({ pane, paneMs }) => pane + paneMs === at - 1_000)?.hash)
  expect(story.decisions()).toHaveLength(before)
  expect(story.shown().view).toMatchObject({ share: 0.1, holds: [], candidate: v2 })
})

test('a rollback of the policy in force alone is told when the version has left, and only then', () => {
  const story = canary()
  story.seconds(1, onlyInForce)
  expect(story.outcomes().at(-1)).toBe('rolled-back')
  expect(disagreements(story)).toEqual([])
  story.seconds(5)
  expect(story.outcomes().at(-1)).toBe('verified')
  expect(disagreements(story)).toMatchObject([{ by: 'in-force', action: 'roll-back', afterMs: null, rule: 'inputs' }])
  expect(disagreements(story)[0]?.text).toMatch(
    /The policy in force asked to roll back v2 at .* UTC; the policy on trial had no reason to\.$/,
  )
})

test('where both roll back in the same pane nothing is told; where one is later, by how much', () => {
  const alike = canary()
  alike.seconds(1, both).seconds(5)
  expect(alike.outcomes()).toContain('rolled-back')
  expect(disagreements(alike)).toEqual([])

  const later = canary()
  later.seconds(4, onlyShadow).seconds(1, both).seconds(5)
  expect(later.outcomes()).toContain('rolled-back')
  expect(disagreements(later)).toMatchObject([
    { by: 'shadow', afterMs: null },
    { by: 'in-force', action: 'roll-back', afterMs: 4_000 },
  ])
  expect(disagreements(later)[1]?.text).toMatch(/asked to roll back v2, 4 s after the policy on trial would have\.$/)
})

test('what is open when the next generation begins is told of the one that ends', () => {
  const story = canary()
  story.agentAnswers = false
  story.seconds(1, onlyInForce)
  for (const by of ['bea', 'cho']) story.ask(by, { kind: 'restore', deployment: flights, reason: 'again' })
  expect(disagreements(story)).toEqual([])
  story.seconds(1)
  expect(story.outcomes().at(-1)).toBe('restored')
  expect(disagreements(story)).toMatchObject([{ by: 'in-force', action: 'roll-back', generation: 1, afterMs: null }])
})

test('a pane of which the evaluator said nothing for the policy on trial still counts what the policy in force asked for', () => {
  const story = canary()
  story.time += 1_000
  const { shadow: _, ...evidence } = story.evidence(both)
  story.step([story.out(evidence)])
  expect(story.outcomes().at(-1)).toBe('rolled-back')
  story.seconds(5)
  expect(disagreements(story)).toMatchObject([{ by: 'in-force', afterMs: null }])
})

test('the rules on trial that never had data enough are shown by name, until they have', () => {
  const story = registered(shadowSource)
  story.rollout()
  story.counting()
  const few: Looks = { 'errors/v2': { status: 'too-few' }, 'inputs-strict/v2': { status: 'no-data' } }
  story.seconds(2, few)
  expect(story.shown().shadow).toMatchObject({ name: 'flight-delay', silent: ['errors', 'inputs-strict'] })
  story.seconds(1, { 'inputs-strict/v2': { status: 'no-data' } })
  expect(story.shown().shadow?.silent).toEqual(['inputs-strict'])
  story.seconds(1)
  expect(story.shown().shadow?.silent).toEqual([])
})

test('a policy is on trial for its generation: a restore begins it anew, and a rollout without one ends it', () => {
  const story = canary()
  expect(story.last('watch').shadow?.hash).toBe(contentHash(policyDocument('ada', shadowSource)))
  story.seconds(1, both).seconds(5)
  for (const by of ['bea', 'cho']) story.ask(by, { kind: 'restore', deployment: flights, reason: 'again' })
  story.seconds(1)
  const restored = story.state.deployments[flights]!
  expect(story.last('watch')).toMatchObject({ generation: restored.order[0], shadow: { hash: restored.shadow?.hash } })
  expect(restored.shadow).toMatchObject({ generation: restored.order[0], answers: { given: { shadow: [] } } })
  const { config, time, state: shard } = story
  expect(beginShadow(restored, { config, time, shard, outs: [] }, null)).not.toHaveProperty('shadow')
})

test('too many rules on trial, or a document that nobody sent, refuse the rollout and say what to do', () => {
  const rules = Array.from(
    { length: shadowBounds.guardrails },
    (_, index) =>
      `  more-${index}: { signal: errors, against: stable, tolerate: 20%, action: hold, protects: travellers }\n`,
  )
  const large = `${policySource}${rules.join('')}`
  const story = registered(large, large)
  story.rollout()
  expect(story.decisions().at(-1)?.text).toMatch(/refused: the policy on trial has 35 rules, and 32 are possible/)
  story.shadow = `${shadowSource}# not sent`
  story.rollout()
  expect(story.decisions().at(-1)?.text).toMatch(/the policy on trial is not known\. Send its document first/)
  expect(story.outcomes()).not.toContain('rollout-started')
})

const seed = 20_261_124
console.log(`a policy on trial: seed ${seed}`)

/** All that a story puts out but for what tells of the trial: a state may be shown once more, since a rule on trial began to speak. */
function acted(outs: readonly AnyOut[]): readonly string[] {
  return outs.flatMap((out) => {
    if (out.kind === 'disagreement' || out.kind === 'state') return []
    const { shadow: _, ...rest } = out as AnyOut & { readonly shadow?: unknown }
    return [canonicalJson(rest)]
  })
}

/** A rollout from the request on: rows may stop, people may act, and each second looks as it is told. */
function played(shadow: string | undefined, seconds: readonly Second[]): Rehearsal {
  const story = registered(shadow)
  story.rollout()
  story.counting()
  for (const { look, does } of seconds) {
    story.rowsPerPane = does === 'silence' ? 0 : 1_000
    if (does === 'restore') {
      story.ask('bea', { kind: 'restore', deployment: flights, reason: 'r' })
      story.ask('cho', { kind: 'restore', deployment: flights, reason: 'r' })
    }
    if (does === 'roll out') story.rollout()
    if (does === 'count') story.counting()
    story.seconds(3, look)
  }
  return story
}

interface Second {
  readonly look: Looks
  readonly does: 'nothing' | 'silence' | 'restore' | 'roll out' | 'count'
}

const looks: readonly Looks[] = [
  {},
  onlyShadow,
  onlyInForce,
  both,
  { 'errors/v2': harm },
  { 'inputs-training/v1': harm, 'inputs-training/v2': harm },
  { 'inputs-strict/v2': { harm: 12, alone: 'edge-2' } },
  { 'inputs/v2': { harm: 12, alone: 'edge-2' }, 'errors/v2': { status: 'no-data' } },
]

test('with and without a policy on trial every command, decision, alert and watch is the same, byte for byte, and so is the record', () => {
  let told = 0
  let acts = 0
  const second = fc.record({
    look: fc.constantFrom(...looks),
    does: fc.constantFrom<Second['does']>('nothing', 'nothing', 'nothing', 'silence', 'restore', 'roll out', 'count'),
  })
  fc.assert(
    fc.property(fc.array(second, { minLength: 4, maxLength: 10 }), (seconds) => {
      const [without, beside] = [undefined, shadowSource].map((shadow) => played(shadow, seconds)) as [
        Rehearsal,
        Rehearsal,
      ]
      expect(acted(beside.outs)).toEqual(acted(without.outs))
      const { shadow: _, shown: __, ...record } = beside.state.deployments[flights]!
      const { shown: ___, ...plain } = without.state.deployments[flights]!
      expect(record).toEqual(plain)
      told += disagreements(beside).length
      acts += beside.outcomes().filter((outcome) => outcome === 'rolled-back' || outcome === 'held').length
    }),
    { numRuns: 12, seed },
  )
  // The stories must hold what could differ, or their equality says nothing.
  expect([told > 5, acts > 5]).toEqual([true, true])
})

test('a disagreement can be said again from its facts', () => {
  const story = canary()
  story.seconds(2, onlyShadow)
  const [told] = disagreements(story)
  expect(say(told?.facts as Parameters<typeof say>[0]).text).toBe(told?.text)
})
