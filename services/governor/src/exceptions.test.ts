import { expect, test } from 'vitest'
import { rootHolder } from './processor.ts'
import { Rehearsal } from './rehearsal.ts'
import { keyset, policyDocument, policySource } from './rehearsal-cast.ts'

const midnight = Date.UTC(2023, 10, 15)
const source = `${policySource}exceptions:
  - { guardrail: errors, until: 2023-11-15, reason: a supplier is away until Tuesday, loosen: { tolerate: 90% } }
`
/** Half more errors than the stable version: beyond the strict rule, within the exception. */
const look = { 'errors/v2': { harm: 50, low: 1.5 } }

function canaryBefore(seconds: number): Rehearsal {
  const stage = new Rehearsal(source)
  stage.time = midnight - seconds * 1_000
  return stage.canary()
}

test('what an exception tolerates stops nothing until its day, and from the first pane of that day on it does', () => {
  const stage = canaryBefore(90)
  const before = Math.floor((midnight - stage.time) / 1_000)
  expect(before).toBeGreaterThan(10)
  stage.seconds(before, look)
  expect(stage.outcomes()).not.toContain('rolled-back')
  stage.seconds(5, look)
  expect(stage.outcomes()).toContain('rolled-back')
  const { at } = stage.decisions().find(({ outcome }) => outcome === 'rolled-back')!
  expect(at - midnight).toBe(stage.policy.times.paneMs + stage.policy.times.latenessMs)
})

test('a standing exception is shown with its end and its reason, and no longer once it has ended', () => {
  const stage = canaryBefore(90)
  expect(stage.shown().exceptions).toEqual([
    'Rule "errors" is looser until 15 November 2023: a supplier is away until Tuesday.',
  ])
  stage.seconds(Math.ceil((midnight - stage.time) / 1_000) + 1)
  expect(stage.shown().exceptions).toBeUndefined()
})

test('an exception that ends more than 90 days ahead is no document, whoever sends it', () => {
  const stage = new Rehearsal(source)
  stage.time = midnight - 91 * 86_400_000
  stage.step([stage.request(rootHolder, { kind: 'document', document: keyset }, { key: 'root' })])
  stage.ask('ada', { kind: 'document', document: policyDocument('ada', source) })
  expect(stage.last('dead-letter').detail).toMatch(/more than 90 days ahead/)
})
