import fc from 'fast-check'
import { expect, test } from 'vitest'
import { profilerInputs } from './main.ts'

const topics = [{ predictions: 'scoring', outcomes: 'labels' }, { predictions: 'scoring' }]

test('whatever the numbers of partitions and shards, each partition of each topic is read by one shard', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      (shards, scoring, labels) => {
        const spread = {
          shards,
          partitions: new Map([
            ['scoring', scoring],
            ['labels', labels],
          ]),
        }
        const read = Array.from({ length: shards }, (_, shard) => profilerInputs(shard, topics, 1, spread))
          .flat()
          .filter(({ kind }) => kind === 'topic')
          .map(({ topic, partition }) => `${topic}/${partition}`)
        const events = read.filter((name) => /^(scoring|labels)\//.test(name))
        const all = [
          ...Array.from({ length: labels }, (_, partition) => `labels/${partition}`),
          ...Array.from({ length: scoring }, (_, partition) => `scoring/${partition}`),
        ]
        expect(events.toSorted()).toEqual(all.toSorted())
      },
    ),
  )
})

test('watches stand before events, and a shard without partitions reads watches all the same', () => {
  const spread = {
    shards: 3,
    partitions: new Map([
      ['scoring', 2],
      ['labels', 1],
    ]),
  }
  const [first, , last] = [0, 1, 2].map((shard) => profilerInputs(shard, topics, 2, spread))
  const governors = (inputs = first) => inputs?.filter(({ topic }) => topic === 'log.governor').length
  expect([governors(first), governors(last)]).toEqual([2, 2])
  const kinds = first?.map(({ topic }) => topic) ?? []
  expect(kinds.lastIndexOf('log.governor')).toBeLessThan(kinds.indexOf('labels'))
  expect(last?.filter(({ topic }) => topic === 'scoring' || topic === 'labels')).toEqual([])
})
