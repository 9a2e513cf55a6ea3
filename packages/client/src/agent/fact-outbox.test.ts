import type { AgentId, DeploymentId, FactRecord, Hash } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { FactOutbox, factsKept } from './fact-outbox.ts'

const d = 'd' as DeploymentId
const e = 'e' as DeploymentId
const observed = {
  version: '1',
  generation: 1,
  stable: 'a' as Hash,
  candidate: null,
  share: 0,
  shadow: false,
  fallback: false,
}
const outbox = (): FactOutbox =>
  new FactOutbox('test', 'agent-1' as AgentId, (record: FactRecord) => Buffer.from(JSON.stringify(record)))
const numbers = (facts: readonly { n: number }[]): number[] => facts.map(({ n }) => n)

test('it gives what comes after a number, also where that number is long gone', () => {
  const facts = outbox()
  for (let i = 0; i < factsKept + 10; i++) facts.report(d, { kind: 'received', order: [1, 0, 0, i] })
  expect(numbers(facts.after(0, 2))).toEqual([11, 12])
  expect(numbers(facts.after(factsKept + 8))).toEqual([factsKept + 9, factsKept + 10])
  expect(facts.after(factsKept + 10)).toEqual([])
  expect(facts.after(factsKept * 9)).toEqual([])
})

test('an observation is outdated by a newer one of the same deployment, a decision’s fact by nothing', () => {
  const facts = outbox()
  facts.report(d, { kind: 'observed', order: null, observed })
  facts.report(d, { kind: 'received', order: [1, 0, 0, 1] })
  facts.report(d, { kind: 'readiness', target: 'a' as Hash, ready: { ok: true, checks: [] } })
  facts.report(d, { kind: 'readiness', target: 'b' as Hash, ready: { ok: true, checks: [] } })
  facts.report(e, { kind: 'observed', order: null, observed })
  const outdated = (): number[] => numbers(facts.after(0).filter((fact) => facts.isOutdated(fact)))
  expect(outdated()).toEqual([])
  facts.report(d, { kind: 'received', order: [1, 0, 0, 2] })
  facts.report(d, { kind: 'observed', order: null, observed })
  facts.report(d, { kind: 'readiness', target: 'a' as Hash, ready: { ok: false, checks: [] } })
  expect(outdated()).toEqual([1, 3])
})

test('whoever waits for news is woken by the next fact, or by the end', async () => {
  const facts = outbox()
  const end = new AbortController()
  const first = facts.news(0, end.signal)
  facts.report(d, { kind: 'received', order: [1, 0, 0, 1] })
  await first
  const second = facts.news(1, end.signal)
  end.abort()
  await second
  expect(facts.latest(d).received).toEqual({ kind: 'received', order: [1, 0, 0, 1] })
  expect(facts.latest(e)).toEqual({})
})
