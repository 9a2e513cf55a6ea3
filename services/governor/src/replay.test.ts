import type { KeysetDocument, Request } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rootHolder } from './processor.ts'
import { Rehearsal } from './rehearsal.ts'
import { flights, keyset } from './rehearsal-cast.ts'
import { knownRequest, noRequests, requestsKept, signedAheadMs, type TakenRequests, withRequest } from './replay.ts'

const seed = 24
const hold: Request = { kind: 'hold', deployment: flights, reason: 'Look.' }
const release: Request = { kind: 'release-hold', deployment: flights, reason: 'Go.' }

/** Fills the memory with requests that are about nothing: all are refused, and all are remembered. */
function crowd(story: Rehearsal, count: number): void {
  const nothing: Request = { kind: 'release-hold', deployment: flights, reason: 'x' }
  for (let index = 0; index < count; index++) {
    story.time += 1
    story.step([story.request('bea', nothing)])
  }
}

test('a request that is written to the log again is taken once, at once and after any number of others', () => {
  const story = new Rehearsal().registered()
  const signed = story.request('cho', hold)
  story.step([signed])
  story.step([story.request('cho', release)], 1)
  story.step([signed], 1)
  expect(story.shown().view.holds).toEqual([])
  crowd(story, requestsKept + 10)
  story.step([signed], 1)
  expect(story.shown().view.holds).toEqual([])
  expect(story.last('dead-letter')).toMatchObject({ reason: 'replayed' })
}, 60_000)

test('a request of a signer that says no time is taken while it can be told from a replay, and refused after that', () => {
  const story = new Rehearsal().registered()
  const old = (id: string) => story.request('cho', hold, { id, at: 0 })
  story.step([old('a')])
  expect(story.shown().view.holds).toHaveLength(1)
  const full = { floor: -1, newest: Array.from({ length: requestsKept }, (_, at) => ({ id: `${at}`, at: at + 1 })) }
  story.step([story.request('cho', release)], 1)
  story.state = { ...story.state, requests: full }
  story.step([old('b')], 1)
  story.step([story.request('cho', release)], 1)
  story.step([old('c')], 1)
  expect(story.shown().view.holds).toEqual([])
  expect(story.last('dead-letter')).toMatchObject({ reason: 'replayed' })
})

test('whatever the times that signers name, no request is ever taken twice, and the memory is bounded', () => {
  // Few times and few ids, so that many share a time, and many come again once they are forgotten.
  const one = fc.record({ id: fc.nat({ max: 100 }), at: fc.nat({ max: 40 }) })
  const requests = fc.array(one, { minLength: 1, maxLength: 4_000, size: 'max' })
  fc.assert(
    fc.property(requests, (all) => {
      let taken: TakenRequests = noRequests
      const done = new Set<string>()
      for (const { id, at } of all) {
        // A signed request is its id and its time together: another time is another request.
        const name = `${id}@${at}`
        if (knownRequest(taken, name, at) !== 'new') continue
        expect(done.has(name)).toBe(false)
        done.add(name)
        taken = withRequest(taken, name, at)
        if (taken.newest.length > requestsKept) throw new Error('unbounded')
      }
      expect(done.size).toBeGreaterThan(0)
    }),
    { seed, numRuns: 5, endOnFailure: true },
  )
}, 60_000)

test('a request that was signed far in the future is refused, so that no clock can fill the memory for good', () => {
  const story = new Rehearsal().registered()
  story.step([story.request('cho', hold, { at: story.time + signedAheadMs + 1 })])
  expect(story.last('dead-letter')).toMatchObject({ reason: 'future' })
  story.step([story.request('cho', hold, { at: story.time + signedAheadMs })])
  expect(story.shown().view.holds).toHaveLength(1)
})

function send(story: Rehearsal, change: Partial<KeysetDocument>): void {
  const document = { ...keyset, ...change }
  story.step([story.request(rootHolder, { kind: 'document', document }, { key: 'root' })])
}

test('an expired keyset still lets hold, halt and rollback through, refuses the rest, pages, and ends with a new one', () => {
  const story = new Rehearsal().canary()
  send(story, { version: 2, expires: story.time + 2_000 })
  story.seconds(1)
  expect(story.shown().view.holds).toEqual([])
  story.seconds(1)
  expect(story.last('decision')).toMatchObject({ outcome: 'held', rule: 'keyset' })
  expect(story.last('alert')).toMatchObject({ attention: 'act-now' })
  story.ask('cho', release)
  expect(story.last('decision')).toMatchObject({ outcome: 'refused', by: 'cho' })
  expect(story.last('decision').text).toContain('the list of keys has run out')
  story.ask('cho', hold)
  expect(story.last('decision')).toMatchObject({ outcome: 'held', by: 'cho' })
  story.ask('cho', { kind: 'halt', deployment: flights, reason: 'Stop.' })
  expect(story.last('decision')).toMatchObject({ outcome: 'halted', by: 'cho' })
  story.ask('cho', { kind: 'restore', deployment: flights, reason: 'x' })
  expect(story.last('decision').outcome).toBe('refused')
  story.ask('cho', { kind: 'rollback', deployment: flights, reason: 'Back.' })
  expect(story.last('decision')).toMatchObject({ outcome: 'rolled-back', by: 'cho' })
  const holds = story.outcomes().filter((outcome) => outcome === 'held').length
  story.seconds(20)
  expect(story.outcomes().filter((outcome) => outcome === 'held')).toHaveLength(holds)
  send(story, { version: 3, expires: story.time + 86_400_000 })
  expect(story.shown().view.holds.map(({ owner }) => owner)).not.toContain('keyset')
})

test('a revoked key is refused from the keyset’s own step on', () => {
  const story = new Rehearsal().registered()
  send(story, { version: 2, keys: keyset.keys.filter(({ holder }) => holder !== 'cho') })
  story.ask('cho', hold)
  expect(story.last('dead-letter')).toMatchObject({ reason: 'bad-signature' })
  expect(story.shown().view.holds).toEqual([])
})
