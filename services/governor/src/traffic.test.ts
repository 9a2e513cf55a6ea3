import { expect, test } from 'vitest'
import { Rehearsal } from './rehearsal.ts'
import { policySource, v1 } from './rehearsal-cast.ts'
import { recentTraffic, trafficPanes } from './traffic.ts'

/** The baseline of the cast has no values of its feature, so that nothing can be held against it. */
const plain = `${policySource}blind:
  inputs-training: the baseline of the rehearsal holds no distances
`
const blind = `${plain}  errors: so few ask that only a person can see
  inputs: so few ask that only a person can see
`

/** A deployment that has served so many rows a second for a while, and is then asked to roll out. */
function asked(rowsPerPane: number, source = policySource): Rehearsal {
  const stage = new Rehearsal(source)
  stage.rowsPerPane = rowsPerPane
  stage.registered().seconds(trafficPanes + 5)
  stage.rollout()
  return stage
}

test('a rule that would see nothing at the traffic that is there refuses the start, and says what to do', () => {
  const { outcome, text } = asked(1).decisions().at(-1)!
  expect(outcome).toBe('refused')
  expect(text).toBe(
    'The rollout was refused: at 3600 answers an hour the rule "errors" sees nothing in stage "shadow" within 30 s, and at best after 3 min. Give the stage more time, or accept the rule by name under "blind" with the reason.',
  )
})

test('the same start is free where the policy accepts the rules as blind, and where there is enough traffic', () => {
  for (const stage of [asked(1, blind), asked(1_000, plain)]) {
    const { outcome, text } = stage.decisions().at(-1)!
    expect(outcome).toBe('rollout-started')
    expect(text).not.toMatch(/not known/)
  }
})

test('before enough is known of the traffic nothing is refused, and the start says how long the rules sleep', () => {
  const stage = new Rehearsal()
  stage.rowsPerPane = 1
  stage.registered()
  stage.rollout()
  const { outcome, text } = stage.decisions().at(-1)!
  expect(outcome).toBe('rollout-started')
  expect(text).toMatch(/they sleep until it has 200 flights\.$/)
})

test('an hour is what whole panes show, copies left out; old panes show nothing', () => {
  const stage = new Rehearsal()
  stage.rowsPerPane = 10
  stage.registered().seconds(40)
  const record = stage.state.deployments['flight-delay']!
  expect(recentTraffic(record, stage.time)?.rowsPerHour).toBeCloseTo(36_000, 6)
  expect(recentTraffic(record, stage.time)?.errorRate).toBeCloseTo(0.5 / 11, 9)
  expect(recentTraffic(record, stage.time + 11 * 60_000)).toBeNull()
  const copied = record.served.map(({ pane, counts }) => ({
    pane,
    counts: [...counts, { version: v1, variant: 'shadow' as const, rows: 1_000 }],
  }))
  expect(recentTraffic({ ...record, served: copied }, stage.time)?.rowsPerHour).toBeCloseTo(36_000, 6)
})
