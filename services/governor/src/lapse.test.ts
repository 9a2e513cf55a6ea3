import { expect, test } from 'vitest'
import { Rehearsal } from './rehearsal.ts'
import { policySource } from './rehearsal-cast.ts'

const atOnce = policySource.replace('  - { share: shadow, rows: 100, at-least: 2s, at-most: 30s }\n', '')

test('an agent that starts between a command and the first share took nothing away: renewed at once, no rollback', () => {
  const story = new Rehearsal(atOnce).registered().seconds(2)
  story.rollout()
  story.agentAnswers = false
  story.counting().seconds(1)
  const command = story.newest()
  if (command === null) throw new Error('no command')
  expect(command.desired.shareMax).toBe(0.1)
  const desired = { ...command.desired, candidate: null, shareMax: 0 }
  story.step([story.fact({ kind: 'lapsed', order: command.order, desired })], 1_000)
  story.seconds(2)
  expect(story.outcomes()).not.toContain('rolled-back')
  const renewed = story.newest()
  expect(renewed?.order[3]).toBeGreaterThan(command.order[3])
  expect(renewed?.desired).toEqual(command.desired)
  story.agentAnswers = true
  story.seconds(4)
  expect(story.shown()).toMatchObject({ view: { share: 0.1, holds: [] }, command: { state: 'verified' } })
})
