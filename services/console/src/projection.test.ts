import type { AnyOut, Hash } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { pageOf, shadowOf } from './deployment-page.ts'
import { changedBy, emptyProjection, folded, type Projection, projectionBounds } from './projection.ts'
import { Story } from './testing/story.ts'
import { explainingDecision, whyOf } from './why.ts'

interface Told {
  readonly processor: string
  readonly offset: bigint
  readonly at: number
  readonly out: AnyOut
}

function told(play: (story: Story) => void): readonly Told[] {
  const all: Told[] = []
  const story = new Story({
    feed: (processor, _shard, offset, at, out) => all.push({ processor, offset, at, out }),
    start: 1_775_052_000_000,
  })
  play(story)
  return all
}

function projected(outs: readonly Told[]): Projection {
  return outs.reduce(
    (projection, { processor, offset, at, out }) =>
      changedBy(out) === null
        ? projection
        : folded(projection, out, { topic: `log.${processor}`, shard: 0, offset: String(offset) }, at),
    emptyProjection('flight-delay'),
  )
}

function rollout(story: Story): void {
  story.register()
  for (let pane = 0; pane < 5; pane++) story.pane()
  story.startRollout()
  for (let pane = 0; pane < 5; pane++) story.pane()
  story.enter(2)
  story.fault(2)
  for (let pane = 0; pane < 6; pane++) story.pane()
  story.state('watch')
  story.breach()
  for (let pane = 0; pane < projectionBounds.recent + 50; pane++) story.pane()
  story.command('verified')
}

test('the two logs may be read one after the other, and why still finds the evidence', () => {
  const outs = told(rollout)
  const of = (processor: string) => outs.filter((one) => one.processor === processor)
  const mixed = projected(outs)
  const governorFirst = projected([...of('governor'), ...of('evaluator')])
  const decision = explainingDecision(mixed)!
  const why = whyOf(mixed, decision)
  expect(why.evidence).not.toBeNull()
  expect(why.ranges.length).toBeGreaterThan(0)
  expect(whyOf(governorFirst, explainingDecision(governorFirst)!)).toEqual(why)
})

test('a fold leaves the projection that it was given as it was', () => {
  const outs = told(rollout)
  const before = projected(outs.slice(0, 40))
  const copy = structuredClone(before)
  for (const { out, at } of outs.slice(40, 80)) folded(before, out, { topic: 't', shard: 0, offset: '0' }, at)
  expect(before).toEqual(copy)
})

test('rows of a stage count from the pane at which it began', () => {
  const outs = told((story) => {
    story.register()
    story.pane()
    story.startRollout()
    for (let pane = 0; pane < 3; pane++) story.pane({ rows: 1_000 })
    story.enter(2)
    for (let pane = 0; pane < 2; pane++) story.pane({ rows: 1_000 })
    story.state('watch')
  })
  // 20 % of 2,000; the 3,000 of the shadow are not among them.
  expect(pageOf(projected(outs))?.stageRows).toBe(400)
})

test('both versions are compared over the same whole panes', () => {
  const outs = told((story) => {
    story.register()
    story.startRollout()
    story.enter(2)
    for (let pane = 0; pane < 3; pane++) story.pane({ rows: 1_000 })
    story.pane({ rows: 1_000, coverage: 0.5 })
    story.state('watch')
  })
  const comparison = pageOf(projected(outs))?.comparison
  expect(comparison?.versions.map(({ version, rows }) => [version, rows])).toEqual([
    ['flight-delay@v1', 2_400],
    ['flight-delay@v2', 600],
  ])
  expect(comparison?.panes).toBe(3)
})

test('a page has the rule of each guardrail in words', () => {
  const page = pageOf(projected(told(rollout)))!
  expect(page.policy?.rules['inputs.distance']).toBe(
    'If flight distance in the new version differs from the old one by more than 0.2, the old version takes all traffic back at once. It needs 50 flights to speak.',
  )
  expect(page.policy?.names['inputs.distance']).toBe('flight distance')
})

test('however long it runs, the lists stay within their bounds', () => {
  let projection = projected(told(rollout))
  const decision = projection.decisions[0]!.out
  for (let index = 0; index < projectionBounds.decisions + 20; index++) {
    const out = { ...decision, id: `${index}` as Hash, sequence: 100 + index, evidence: `e${index}` as Hash }
    projection = folded(projection, out, { topic: 'log.governor', shard: 0, offset: String(index) }, out.at)
  }
  expect(projection.decisions).toHaveLength(projectionBounds.decisions)
  expect(projection.proofs.size).toBe(projectionBounds.decisions)
  expect(projection.recent).toHaveLength(projectionBounds.recent)
  for (const line of projection.lines.panes.values()) expect(line.length).toBeLessThanOrEqual(1_201)
})

test('the policy on trial is shown with its disagreements, the newest first and no more than are kept', () => {
  let projection = projected(told(rollout))
  const place = { topic: 'log.governor', shard: 0, offset: '1' }
  for (let at = 0; at < projectionBounds.disagreements + 5; at++) {
    const out = { kind: 'disagreement', deployment: 'flight-delay', at } as AnyOut
    expect(changedBy(out)).toEqual({ deployment: 'flight-delay', changed: 'decisions' })
    projection = folded(projection, out, place, at)
  }
  const shown = shadowOf(projection)
  expect(shown).toMatchObject({ onTrial: null, inForce: { policy: projection.policy?.hash } })
  expect(shown?.disagreements.map(({ at }) => at).slice(0, 2)).toEqual([104, 103])
  expect(shown?.disagreements).toHaveLength(projectionBounds.disagreements)
})
