import { isOwnTopic, shardLog, topics } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { accessOf, forbiddenTo, principals } from './access.ts'
import { clusterTopics } from './topics.ts'

const writersOf = (topic: string) => principals.filter((one) => accessOf(one, []).writes.includes(topic))

test('each shard log, the commands, alerts, evidence and the ledger have one writer', () => {
  const logs = ['profiler', 'evaluator', 'governor', 'fleet'].map(shardLog)
  const { commands, alerts, evidence, audit } = topics
  const writers = [...logs, commands, alerts, evidence, audit].map((topic) => [topic, writersOf(topic)])
  expect(writers).toEqual([
    [shardLog('profiler'), ['profiler']],
    [shardLog('evaluator'), ['evaluator']],
    [shardLog('governor'), ['governor']],
    [shardLog('fleet'), ['governor']],
    [commands, ['governor']],
    [alerts, ['governor']],
    [evidence, ['evaluator']],
    [audit, ['governor']],
  ])
})

test('nobody may write what is forbidden to it, and every topic of ours can be written by somebody', () => {
  for (const one of principals) {
    const { writes } = accessOf(one, [])
    expect(forbiddenTo(one).filter((topic) => writes.includes(topic))).toEqual([])
  }
  const planned = clusterTopics({ profiler: 1, deployments: 1 }).map(({ name }) => name)
  expect(planned.filter((topic) => writersOf(topic).length === 0)).toEqual([])
  const named = principals.flatMap((one) => [...accessOf(one, []).reads, ...accessOf(one, []).writes])
  expect([...new Set(named)].filter((topic) => !planned.includes(topic) || !isOwnTopic(topic))).toEqual([])
})

test('events are read by the profiler alone, and of our services written by the console’s door alone', () => {
  const reads = principals.filter((one) => accessOf(one, ['scoring']).reads.includes('scoring'))
  const writes = principals.filter((one) => accessOf(one, ['scoring']).writes.includes('scoring'))
  expect([reads, writes]).toEqual([['profiler'], ['console']])
})
