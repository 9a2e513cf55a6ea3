import { detectorFor, resolveSignal, whyNot } from '@interlock/statistics'
import { expect, test } from 'vitest'
import { emptyWatched } from './state.ts'
import { flights, guardrail, policyOf, watchOf } from './testing/flights.ts'
import { putInForce, takeWatch } from './watching.ts'

const methods = { detectorFor, resolveSignal, whyNot }
const strict = guardrail('errors')
const looser = { ...strict, tolerance: { ...strict.tolerance, harm: 3 } }
const policy = policyOf([strict])
const { paneMs } = policy.times
const start = 100 * paneMs
const until = start + 5 * paneMs + 1
const watch = watchOf({ policy: { ...policy, exceptions: [{ until, reason: 'for a time', looser }] }, from: start })

test('a rule is watched under its exception until the first pane that begins after its end, and anew from there', () => {
  const begun = takeWatch(emptyWatched(flights), watch, methods, start)
  expect(begun.plan?.subjects.map((subject) => subject.guardrail)).toEqual([looser])
  const last = putInForce({ ...begun, next: start + 5 * paneMs }, methods)
  expect(last.plan?.subjects[0]?.guardrail).toEqual(looser)
  const ended = putInForce({ ...begun, next: start + 6 * paneMs }, methods)
  expect(ended.plan?.subjects.map((subject) => subject.guardrail)).toEqual([strict])
  expect(ended.plan?.subjects[0]?.key).not.toBe(begun.plan?.subjects[0]?.key)
  expect(ended.pending).toEqual([])
})

test('a new watch takes the ends of its own exceptions with it, and none of the watch before', () => {
  const begun = takeWatch(emptyWatched(flights), watch, methods, start)
  const again = takeWatch(begun, watchOf({ policy, from: start + 2 * paneMs }), methods, start)
  const later = putInForce({ ...again, next: start + 2 * paneMs }, methods)
  expect(later.plan?.subjects.map((subject) => subject.guardrail)).toEqual([strict])
  expect(later.pending).toEqual([])
})
