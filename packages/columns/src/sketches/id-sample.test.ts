import { packCounts, sampleIds } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdSample, tallyOfSamples } from './id-sample.ts'
import { keyOf } from './murmur3.ts'

const encoder = new TextEncoder()
const keyOfNumber = (id: number): number => keyOf(encoder.encode(`id-${id}`))

function sampleOf(keys: Iterable<number>): IdSample {
  const sample = new IdSample()
  for (const key of keys) sample.add(key)
  return sample
}

test('up to 256 ids it is exact: rows, and rows that repeat an id', () => {
  const keys = Array.from({ length: sampleIds }, (_, id) => keyOfNumber(id))
  expect(sampleOf([...keys, ...keys.slice(0, 40), ...keys.slice(0, 3)]).tally).toEqual({ rows: 299, repeated: 43 })
  expect(sampleOf([]).tally).toEqual({ rows: 0, repeated: 0 })
})

test('beyond that it holds the 256 smallest keys with all their rows, however often it was cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000), { size: 'max', minLength: 600, maxLength: 4_000 }), (ids) => {
      const keys = ids.map(keyOfNumber)
      const smallest = [...new Set(keys)].sort((a, b) => a - b).slice(0, sampleIds)
      const sample = sampleOf(keys)
      expect([...sample.keys]).toEqual(smallest)
      const held = new Set(smallest)
      const rows = keys.filter((key) => held.has(key)).length
      expect(sample.tally).toEqual({ rows, repeated: rows - smallest.length })
    }),
    { numRuns: 30 },
  )
})

test('the last id of a sample that was cut still counts its rows', () => {
  const sample = sampleOf(Array.from({ length: 2 * sampleIds + 1 }, (_, key) => key))
  sample.add(sampleIds - 1)
  sample.add(sampleIds)
  expect(sample.tally).toEqual({ rows: sampleIds + 1, repeated: 1 })
})

test('which ids it holds does not depend on how often they came', () => {
  const ids = Array.from({ length: 2_000 }, (_, id) => keyOfNumber(id))
  const often = ids.flatMap((key, index) => Array<number>(1 + (index % 5)).fill(key))
  expect(sampleOf(often).keys).toEqual(sampleOf(ids).keys)
})

test('every id is as likely to be drawn as every other: χ² over 40 samples of 1,000 ids in ten groups', () => {
  // Ids of one population share a fate, so each sample is of ids of its own; by place, first to last.
  const groups = Array<number>(10).fill(0)
  for (let trial = 0; trial < 40; trial++) {
    const keys = Array.from({ length: 1_000 }, (_, id) => keyOf(encoder.encode(`${trial}/${id}`)))
    const held = new Set(sampleOf(keys).keys)
    keys.forEach((key, place) => {
      if (held.has(key)) groups[Math.floor(place / 100)]!++
    })
  }
  const expected = (40 * sampleIds) / 10
  const square = groups.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  // 0.999 quantile of χ² with nine degrees of freedom; draws without replacement scatter less.
  expect(square).toBeLessThan(27.9)
})

test('the share of repeats in the sample is that of all rows: 5 % of 50,000 within four deviations', () => {
  const sample = new IdSample()
  for (let id = 0; id < 50_000; id++) sample.add(keyOfNumber(id), id % 20 === 0 ? 2 : 1)
  const { rows, repeated } = sample.tally
  const expected = sampleIds / 20
  expect(rows - repeated).toBe(sampleIds)
  expect(Math.abs(repeated - expected)).toBeLessThan(4 * Math.sqrt(expected))
})

test('bytes that are no sample are refused', () => {
  expect(() => tallyOfSamples([Uint8Array.of(0x80)])).toThrow('in the middle')
  expect(() => tallyOfSamples([Uint8Array.of(3, 0)])).toThrow('without a row')
  const last = new IdSample()
  last.add(2 ** 53 - 1)
  expect(() => tallyOfSamples([Uint8Array.of(...last.pack(), 0, 1)])).toThrow('beyond 2^53')
  expect(tallyOfSamples([packCounts([2, 1]), packCounts([0, 4])])).toEqual({ rows: 7, repeated: 5 })
})
