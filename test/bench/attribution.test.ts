import { expect, test } from 'vitest'
import { score } from './attribution.ts'

const seed = 20_261_124

test('the true cause of an injected fault is among the first three that the decision names, with its share', {
  timeout: 180_000,
}, () => {
  console.log(`attribution: seeds from ${seed}`)
  const scores = score(20, seed)
  const all = scores.find(({ kind }) => kind === 'all')
  expect(all?.decisions).toBeGreaterThanOrEqual(17)
  expect(all?.topThree).toBeGreaterThanOrEqual(0.9)
  for (const { kind, topThree, medianShare } of scores) {
    expect(topThree, kind).toBeGreaterThanOrEqual(0.8)
    expect(medianShare, kind).toBeGreaterThan(0.5)
  }
  expect(all?.onsetMedian).toBeLessThanOrEqual(1)
})
