import type { DecisionOut, Input, ProvisionalOut } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { evidenceOf, type Look, Rehearsal } from './rehearsal.ts'
import { flights, policySource, v1, v2 } from './rehearsal-cast.ts'

const seed = 20_260_421
console.log(`foresight of the governor: seed ${seed}`)

const paneMs = 1_000

/** What the evaluator says of the pane that is open now; a rule's name with its version, as in `Rehearsal.evidence`. */
function foreseen(
  story: Rehearsal,
  looks: Readonly<Record<string, Look>>,
  change: Partial<ProvisionalOut> = {},
): Input {
  const watch = story.last('watch')
  const pane = Math.floor(story.time / paneMs) * paneMs
  const guardrails = Object.entries(looks).map(([name, look]) => {
    const [id, version] = name.split('/')
    const guardrail = watch.policy.guardrails.find((each) => each.id === id)
    if (guardrail === undefined) throw new Error(`no guardrail ${id}`)
    return version === 'v1'
      ? evidenceOf(guardrail, v1, 'stable', look, pane + paneMs)
      : evidenceOf(guardrail, v2, story.observed.shadow ? 'shadow' : 'candidate', look, pane + paneMs)
  })
  const { generation } = watch
  return story.out({ kind: 'provisional', deployment: flights, generation, pane, guardrails, ...change })
}

function holds(story: Rehearsal): readonly string[] {
  return story.shown().view.holds.map(({ owner }) => owner)
}

/** Decisions since `before`, as outcome and rule. */
function since(story: Rehearsal, before: number): readonly string[] {
  return story
    .decisions()
    .slice(before)
    .map(({ outcome, rule }) => `${outcome} ${rule}`)
}

test('what would be a breach holds at once: promotion stops, no traffic moves and nobody is called', () => {
  const story = new Rehearsal().canary()
  const outs = story.step([foreseen(story, { 'inputs/v2': { harm: 12 } })])
  expect(outs.filter(({ kind }) => kind !== 'state').map(({ kind }) => kind)).toEqual(['decision'])
  expect(story.last('decision')).toMatchObject({
    outcome: 'held',
    rule: 'provisional:inputs',
    by: 'governor',
    // No closed evidence stands behind it, and none is claimed.
    evidence: null,
    guardrail: { guardrail: 'inputs' },
  })
  expect(story.last('decision').text).toMatch(
    /^Flight distance .* Not all is counted yet; v2 stays at 10 % until it is\.$/,
  )
  expect(holds(story)).toEqual(['provisional'])
  expect(story.shown().blocked[0]).toMatch(/^an early count holds it: Flight distance/i)
  expect(story.shown().view).toMatchObject({ share: 0.1, phase: 'rolling-out' })
  // However long its panes do not close, the share stays where it is.
  for (let second = 0; second < 15; second++) {
    story.time += 1_000
    story.step([...story.agent(), story.out(story.served())])
  }
  expect(story.shown().view.share).toBe(0.1)
})

test('a calm closed pane ends the hold, not one pane earlier, and the rollout goes on', () => {
  const story = new Rehearsal().canary()
  const before = story.decisions().length
  story.step([foreseen(story, { 'inputs/v2': { harm: 12 } })])
  const to = story.state.deployments[flights]!.provisionalTo!
  const isCovered = (): boolean => (story.state.deployments[flights]?.dataTo ?? 0) >= to
  while (!isCovered()) {
    expect(holds(story)).toEqual(['provisional'])
    story.seconds(1)
  }
  expect(holds(story)).toEqual([])
  expect(since(story, before).slice(0, 2)).toEqual(['held provisional:inputs', 'released provisional'])
  expect(story.decisions()[before + 1]?.text).toBe('All is counted now, and no limit is passed. The hold is over.')
  story.seconds(12)
  expect(story.outcomes()).toContain('completed')
})

test('the closed pane that confirms it rolls back, and leaves no hold behind', () => {
  const story = new Rehearsal().canary()
  const before = story.decisions().length
  story.step([foreseen(story, { 'inputs/v2': { harm: 12 } })])
  story.seconds(1).seconds(1, { 'inputs/v2': { harm: 12 } })
  expect(since(story, before)).toEqual(['held provisional:inputs', 'rolled-back inputs'])
  expect(holds(story)).toEqual([])
})

test('a closed breach that only holds takes over: its own hold stands when the provisional one ends', () => {
  const story = new Rehearsal().canary()
  const before = story.decisions().length
  story.step([foreseen(story, { 'inputs-training/v2': { harm: 12 } })])
  const beyond = { 'inputs-training/v2': { harm: 12 } }
  story.seconds(3, beyond)
  expect(since(story, before)).toEqual([
    'held provisional:inputs-training',
    'held inputs-training',
    'released provisional',
  ])
  expect(holds(story)).toEqual(['guardrail:inputs-training'])
  expect(story.shown().sentence).toContain('until this is clear')
  // What closed panes hold already is not held once more.
  story.step([foreseen(story, beyond)])
  expect(holds(story)).toEqual(['guardrail:inputs-training'])
})

test('a later open pane prolongs the hold, without another decision', () => {
  const story = new Rehearsal().canary()
  story.step([foreseen(story, { 'inputs/v2': { harm: 12 } })])
  const before = story.decisions().length
  const first = story.state.deployments[flights]!.provisionalTo!
  story.seconds(1)
  story.step([foreseen(story, { 'inputs/v2': { harm: 14 } })])
  expect(story.state.deployments[flights]!.provisionalTo).toBe(first + paneMs)
  expect(story.decisions()).toHaveLength(before)
})

test('nothing is held by what would be no breach, is outdated, or asks for a watch only', () => {
  const cases: readonly (readonly [string, (story: Rehearsal) => Input])[] = [
    ['too few rows', (story) => foreseen(story, { 'inputs/v2': { harm: 12, status: 'too-few' } })],
    ['within what is tolerated', (story) => foreseen(story, { 'inputs/v2': { harm: 12, low: 0.01 } })],
    ['below the limit', (story) => foreseen(story, { 'inputs/v2': { harm: 7.9 } })],
    ['of an older generation', (story) => foreseen(story, { 'inputs/v2': { harm: 12 } }, { generation: 0 })],
  ]
  for (const [what, input] of cases) {
    const story = new Rehearsal().canary()
    story.step([input(story)])
    expect(holds(story), what).toEqual([])
  }
  const closed = new Rehearsal().canary()
  const late = foreseen(closed, { 'inputs/v2': { harm: 12 } })
  closed.seconds(3)
  closed.step([late])
  expect(holds(closed)).toEqual([])
  const watching = new Rehearsal(policySource.replace('\n    action: hold', '\n    action: watch')).canary()
  watching.step([foreseen(watching, { 'inputs-training/v2': { harm: 12 } })])
  expect(holds(watching)).toEqual([])
})

const look: fc.Arbitrary<Look> = fc.record({ harm: fc.constantFrom(0, 9, 12, 500), low: fc.constantFrom(0.01, 2) })
const moment = fc.record({
  looks: fc.record({
    'errors/v2': look,
    'inputs/v2': look,
    'inputs-training/v1': look,
    'inputs-training/v2': look,
  }),
  says: fc.boolean(),
  closes: fc.constantFrom(true, true, false),
})

test('whatever is foreseen: it never rolls back, halts or opens an incident, and all other decisions are as without it', () => {
  const isOwn = ({ rule }: DecisionOut): boolean => rule.startsWith('provisional')
  fc.assert(
    fc.property(fc.array(moment, { minLength: 5, maxLength: 20 }), (moments) => {
      const [looking, plain] = [new Rehearsal().canary(), new Rehearsal().canary()]
      for (const { looks, says, closes } of moments) {
        for (const story of [looking, plain]) {
          story.time += 1_000
          const inputs = [...story.agent(), story.out(story.served())]
          if (says && story === looking) inputs.push(foreseen(story, looks))
          if (closes) inputs.push(story.out(story.evidence()))
          story.step(inputs)
        }
        expect(looking.shown().view.order[2]).toBe(0)
        expect(looking.state.deployments[flights]?.incident).toBeNull()
      }
      const own = looking.decisions().filter(isOwn)
      expect(own.every(({ outcome }) => outcome === 'held' || outcome === 'released')).toBe(true)
      // A promotion may have waited: with all panes closed and calm the two have come to the same.
      for (const story of [looking, plain]) story.seconds(20)
      const others = (story: Rehearsal): readonly string[] =>
        story.decisions().flatMap((one) => (isOwn(one) ? [] : [`${one.outcome} ${one.rule}`]))
      expect(others(looking)).toEqual(others(plain))
      expect(looking.shown().view).toMatchObject({ phase: 'steady', stable: v2, holds: [] })
    }),
    { seed, numRuns: 8 },
  )
})

test('save and load in the middle of a provisional hold is the identity, and what ends it is the same', () => {
  const story = new Rehearsal().canary()
  story.step([foreseen(story, { 'inputs/v2': { harm: 12 } })])
  const loaded = story.governor.load(story.governor.save(story.state), 2)
  expect(loaded).toEqual(story.state)
  story.time += 2_000
  const inputs = [story.out(story.evidence())]
  const [a, outsA] = story.governor.step(story.state, inputs, story.time, true)
  const [b, outsB] = story.governor.step(loaded, inputs, story.time, true)
  expect(outsB).toEqual(outsA)
  expect(Buffer.from(story.governor.save(b)).equals(story.governor.save(a))).toBe(true)
})
