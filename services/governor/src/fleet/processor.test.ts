import { type AnyOut, decodeOut, encodeOut, type Input, type KeyEntry, keyIdOf, signerOf } from '@interlock/contracts'
import { Audit, originOf } from '@interlock/ledger'
import { expect, test } from 'vitest'
import { Rehearsal } from '../rehearsal.ts'
import { keyOf, publicBytes } from '../rehearsal-cast.ts'
import { createFleet, type FleetState, pulseEveryMs } from './processor.ts'
import { signAudit } from './sign-audit.ts'

/** What a governor put out in a story, as if `count` deployments had lived it. */
function inputsOf(story: Rehearsal, count: number): readonly Input[] {
  return Array.from({ length: count }, (_, number) =>
    story.outs
      .filter((out) => out.kind === 'watch' || out.kind === 'decision')
      .map((out): Input => {
        const named = { ...out, deployment: `${out.deployment}-${number}` } as AnyOut
        return { kind: 'out', processor: 'governor', shard: 0, offset: 0n, at: story.time, out: named }
      }),
  ).flat()
}

const broken = { harm: 12, producer: 'northeast' }
const source = new Rehearsal().canary().seconds(1, { 'inputs-training/v1': broken, 'inputs-training/v2': broken })
const healthy = new Rehearsal().canary()

/** What the fleet says to people and governors, the ledger left aside. */
function words(outs: readonly AnyOut[]): readonly AnyOut[] {
  return outs.filter(({ kind }) => kind === 'brake' || kind === 'alert')
}

test('a source that hits three of ten deployments puts the brake on once, names it, pages, and lets go when they are calm', () => {
  const fleet = createFleet()
  const calm = inputsOf(healthy, 10)
  const [first, none] = fleet.step(fleet.empty(0), calm, source.time, true)
  expect(words(none)).toEqual([])
  const [second, outs] = fleet.step(first, inputsOf(source, 3), source.time, true)
  const page = words(outs)[1]
  expect(words(outs)).toMatchObject([
    { kind: 'brake', on: true, sharedProducer: 'northeast' },
    { kind: 'alert', attention: 'act-now', deployment: 'flight-delay-0' },
  ])
  expect(outs.map((out) => decodeOut(encodeOut(out)))).toEqual(outs)
  expect(words(fleet.step(second, [], source.time + 299_000, true)[1])).toEqual([])
  const [last, off] = fleet.step(second, [], source.time + 300_001, true)
  expect(words(off)).toMatchObject([
    { kind: 'brake', on: false },
    { kind: 'alert', resolves: page?.kind === 'alert' ? page.id : '' },
  ])
  expect((last as FleetState).wants).toEqual([])
})

test('two deployments are no fleet, and people who roll back are no sign of a shared cause', () => {
  const fleet = createFleet()
  expect(words(fleet.step(fleet.empty(0), inputsOf(source, 2), source.time, true)[1])).toEqual([])
  const byHand = new Rehearsal().canary()
  byHand.ask('cho', { kind: 'rollback', deployment: byHand.shown().deployment, reason: 'x' })
  expect(words(fleet.step(fleet.empty(0), inputsOf(byHand, 5), byHand.time, true)[1])).toEqual([])
})

test('the ledger holds every decision once, in the order in which it was taken, whatever the batches', () => {
  const fleet = createFleet()
  const inputs = inputsOf(source, 3)
  const decisions = inputs.flatMap((input) =>
    input.kind === 'out' && input.out.kind === 'decision' ? [input.out] : [],
  )
  const run = (size: number): readonly [FleetState, readonly AnyOut[]] => {
    let state = fleet.empty(0) as FleetState
    const outs: AnyOut[] = []
    for (let from = 0; from < inputs.length; from += size) {
      const [next, more] = fleet.step(state, inputs.slice(from, from + size), source.time, true)
      state = next as FleetState
      outs.push(...more)
    }
    return [state, outs]
  }
  const leavesOf = (outs: readonly AnyOut[]) => outs.filter((out) => out.kind === 'leaf')
  const [state, outs] = run(7)
  const leaves = leavesOf(outs)
  expect(leaves.map(({ decision }) => decision)).toEqual(decisions.map(({ id }) => id))
  expect(leaves.map(({ index }) => index)).toEqual(leaves.map((_, index) => index))
  const [whole, once] = run(inputs.length)
  expect(leavesOf(once)).toEqual(leaves)
  expect(whole.ledger).toEqual(state.ledger)
  const last = once.find((out) => out.kind === 'checkpoint')
  expect(outs.findLast((out) => out.kind === 'checkpoint')?.root).toBe(last?.root)
})

test('what is published is a ledger that an auditor opens with the fleet’s public key, and it is whole', () => {
  const fleet = createFleet()
  const inputs = inputsOf(source, 1)
  const signer = signerOf(keyOf('fleet'))
  const spki = publicBytes('fleet')
  const key: KeyEntry = {
    keyId: keyIdOf(spki),
    publicKey: spki.toString('base64'),
    roles: ['fleet'],
    holder: 'fleet',
    may: [],
  }
  const audit = new Audit({ origin: originOf('test'), keys: [key], now: source.time + 3_600_000 })
  let state = fleet.empty(0)
  let offset = 0n
  for (let from = 0; from < inputs.length; from += 3) {
    const [next, outs] = fleet.step(state, inputs.slice(from, from + 3), source.time, true)
    state = next
    for (const out of outs) {
      if (out.kind !== 'leaf' && out.kind !== 'checkpoint') continue
      audit.take({
        kind: out.kind,
        offset: offset++,
        at: source.time,
        value: signAudit(encodeOut(out), 'test', signer),
      })
    }
  }
  for (const input of inputs) {
    if (input.kind === 'out' && input.out.kind === 'decision') {
      audit.compare(input.out, { shard: input.shard, offset: input.offset })
    }
  }
  expect(audit.finish({ complete: true }).findings).toEqual([])
})

test('the pulse comes every five seconds while the inputs are taken to their end, and not in a backlog', () => {
  const fleet = createFleet()
  const pulses: number[] = []
  let state = fleet.empty(0)
  for (let second = 0; second < 60; second++) {
    const isBehind = second >= 20 && second < 40
    const [next, outs] = fleet.step(state, [], 1_000_000 + second * 1_000, !isBehind)
    state = next
    if (outs.some(({ kind }) => kind === 'pulse')) pulses.push(second)
  }
  expect(pulses).toEqual([0, 5, 10, 15, 40, 45, 50, 55])
  expect(pulseEveryMs).toBe(5_000)
})

test('save and load is the identity, and a snapshot without a ledger begins one', () => {
  const fleet = createFleet()
  const [state] = fleet.step(fleet.empty(0), inputsOf(source, 4), source.time, true)
  expect(fleet.load(fleet.save(state), 2)).toEqual(state)
  const { ledger: _, page: __, pulseAt: ___, ...old } = state
  const loaded = fleet.load(Buffer.from(JSON.stringify(old)), 1)
  expect(loaded).toEqual({ ...state, ledger: { size: 0, roots: [] }, page: null, pulseAt: 0 })
  expect(() => fleet.load(fleet.save(state), 3)).toThrow('a snapshot of version 3')
})
