import { expect, test } from 'vitest'
import { exp, ln, logAddExp } from './elementary.ts'
import { logAside, logStartWeight, stepStart } from './start-mixture.ts'

test('what was put in and what is aside are one, at any pane', () => {
  for (const panes of [1, 2, 10, 1000]) {
    let put = 0
    for (let j = 0; j < panes; j++) put += exp(logStartWeight(j))
    expect(put + exp(logAside(panes))).toBeCloseTo(1, 12)
  }
  expect(logAside(0)).toBe(0)
})

test('under no change the expected evidence stays exactly 1', () => {
  // L is 2 or 0.5 with chances 1/3 and 2/3; all 2^8 paths.
  const panes = 8
  let expectation = 0
  for (let path = 0; path < 2 ** panes; path++) {
    let logM: number | null = null
    let chance = 1
    for (let j = 0; j < panes; j++) {
      const up = ((path >> j) & 1) === 1
      chance *= up ? 1 / 3 : 2 / 3
      logM = stepStart(logM, logStartWeight(j), up ? ln(2) : -ln(2))
    }
    expectation += chance * exp(logAddExp(logAside(panes), logM as number))
  }
  expect(expectation).toBeCloseTo(1, 12)
})

test('a change after 1,000 healthy panes needs some 15 nats more, not the 500 that were lost', () => {
  let logM: number | null = null
  for (let j = 0; j < 1000; j++) logM = stepStart(logM, logStartWeight(j), -0.5)
  let panes = 0
  while (logAddExp(logAside(1000 + panes), logM as number) < ln(1000))
    logM = stepStart(logM, logStartWeight(1000 + panes++), 1)
  expect(panes).toBeLessThan(24)
})
