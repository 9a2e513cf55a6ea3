import { type AnyOut, type DeploymentId, sha256 } from '@interlock/contracts'
import { ledgerPatienceMs } from '@interlock/ledger'
import { expect, test } from 'vitest'
import { Rehearsal } from './rehearsal.ts'
import { flights, v1 } from './rehearsal-cast.ts'

const restore = { kind: 'restore', deployment: flights, reason: 'Fine again.' } as const

/** Halted by a person, and a restore that two people signed while the fleet is away. */
function signedTwice(): Rehearsal {
  const story = new Rehearsal().canary()
  story.ask('cho', { kind: 'halt', deployment: flights, reason: 'Wait.' })
  story.seconds(3)
  story.fleetAnswers = false
  story.step()
  story.ask('cho', restore)
  story.ask('bea', restore)
  return story
}

/** The leaf of the newest decision, as the fleet would put it out. */
function leafOfNewest(story: Rehearsal): AnyOut {
  const { id, sequence } = story.last('decision')
  return { kind: 'leaf', index: 0, deployment: flights, sequence, decision: id, leaf: '{}' }
}

test('a restore that two people signed waits for the ledger, and the command names the decision that is in it', () => {
  const story = signedTwice()
  const signed = story.last('decision')
  expect(signed).toMatchObject({ outcome: 'approved', rule: 'restore', by: 'bea' })
  const before = story.newest()
  story.seconds(5)
  expect(story.newest()).toEqual(before)
  expect(story.shown().view.phase).toBe('halted')
  story.step([story.out(leafOfNewest(story), 'fleet')])
  expect(story.last('decision')).toMatchObject({ outcome: 'restored', facts: { by: 'cho', second: 'bea' } })
  expect(story.newest()).toMatchObject({ because: signed.id, order: [2, 1, 0, expect.any(Number)] })
})

test('neither another deployment’s leaf nor that of an earlier decision carries it out', () => {
  const story = signedTwice()
  const leaf = leafOfNewest(story)
  if (leaf.kind !== 'leaf') throw new Error('no leaf')
  story.step([
    story.out({ ...leaf, deployment: 'another' as DeploymentId }, 'fleet'),
    story.out({ ...leaf, decision: sha256('something else') }, 'fleet'),
  ])
  expect(story.shown().view.phase).toBe('halted')
})

test('while a restore waits, raising goes through at once; the restore is then refused and its signer told why', () => {
  const story = signedTwice()
  const leaf = leafOfNewest(story)
  story.ask('cho', { kind: 'rollback', deployment: flights, reason: 'Customers call.' })
  expect(story.last('decision')).toMatchObject({ outcome: 'rolled-back', by: 'cho' })
  const order = story.newest()?.order
  story.step([story.out(leaf, 'fleet')])
  expect(story.last('decision')).toMatchObject({ outcome: 'refused', by: 'bea', facts: { what: 'restore' } })
  expect(story.last('decision').text).toContain('a stronger order came after the second signature')
  expect(story.newest()?.order).toEqual(order)
  story.seconds(3)
  expect(story.shown().view).toMatchObject({ phase: 'rolled-back', stable: v1 })
})

test('a third signature while two wait for the ledger is refused', () => {
  const story = signedTwice()
  story.ask('cho', restore)
  expect(story.last('decision').text).toContain('two people have signed already')
})

test('a signature that comes after half an hour is the first of two again', () => {
  const story = new Rehearsal().canary()
  story.ask('cho', { kind: 'halt', deployment: flights, reason: 'Wait.' })
  story.ask('cho', restore)
  story.step([], 30 * 60_000 + 1)
  story.ask('bea', restore)
  story.step()
  expect(story.shown().view.phase).toBe('halted')
  expect(story.state.deployments[flights]?.agreedRestore).toBeNull()
})

test('decisions that wait for the ledger longer than a minute are an alarm, once, and it ends when the ledger moves', () => {
  const story = new Rehearsal().registered()
  story.seconds(2)
  expect(story.state.deployments[flights]?.ledger.waitingSince).toBeNull()
  story.fleetAnswers = false
  story.ask('cho', { kind: 'hold', deployment: flights, reason: 'Look.' })
  const held = story.last('decision')
  const start = story.time
  story.seconds(ledgerPatienceMs / 1_000)
  expect(story.outcomes()).not.toContain('ledger-behind')
  story.seconds(1)
  expect(story.last('decision')).toMatchObject({ outcome: 'ledger-behind', facts: { since: start } })
  const alarm = story.last('alert')
  expect(alarm).toMatchObject({ attention: 'act-now', resolves: null })
  story.seconds(90)
  expect(story.outcomes().filter((outcome) => outcome === 'ledger-behind')).toHaveLength(1)
  const { sequence } = story.last('decision')
  const leaf = { kind: 'leaf', index: 0, deployment: flights, sequence, decision: held.id, leaf: '{}' } as const
  story.step([story.out(leaf, 'fleet')])
  expect(story.last('alert')).toMatchObject({ resolves: alarm.id })
  story.seconds(70)
  expect(story.outcomes().filter((outcome) => outcome === 'ledger-behind')).toHaveLength(1)
})

test('a grant is renewed only while the fleet keeps up, and again once it does', () => {
  const story = new Rehearsal().canary()
  const renewed = (seconds: number): number => {
    const before = story.newest()?.order[3] ?? 0
    story.seconds(seconds, { 'errors/v2': { safe: 0 } })
    return (story.newest()?.order[3] ?? 0) - before
  }
  expect(renewed(25)).toBe(2)
  story.fleetAnswers = false
  // The last pulse is good for 20 s.
  expect(renewed(30)).toBeLessThanOrEqual(2)
  expect(renewed(20)).toBe(0)
  story.fleetAnswers = true
  expect(renewed(12)).toBeGreaterThanOrEqual(1)
})

test('each decision of a person names the request that asked for it, and the document that it is about', () => {
  const story = new Rehearsal().registered()
  story.step([story.request('cho', { kind: 'hold', deployment: flights, reason: 'Look.' }, { id: 'r-77' })])
  expect(story.last('decision')).toMatchObject({ by: 'cho', request: 'r-77' })
  const [registered, approved] = story.decisions()
  const record = story.state.deployments[flights]
  expect(registered).toMatchObject({ outcome: 'registered', object: record?.documentHash })
  expect(approved).toMatchObject({ outcome: 'approved', object: record?.documentHash })
  story.rollout()
  expect(story.decisions().every(({ request, by }) => (request === undefined) === (by === 'governor'))).toBe(true)
})
