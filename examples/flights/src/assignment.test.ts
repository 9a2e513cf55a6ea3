import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { deploymentSalt, goesToCandidate, positionOf } from './assignment.ts'

const units = Array.from({ length: 20_000 }, (_, index) => `ORD-LGA-${index}`)
const positions = units.map((unit) => positionOf(deploymentSalt, unit))

test('raising the share only moves units to the candidate, and lowering it only moves them back', () => {
  const shares = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 0.5, 0.1, 0]
  for (const position of positions) {
    const arms = shares.map((share) => goesToCandidate(position, share))
    const flips = arms.filter((arm, index) => index > 0 && arm !== arms[index - 1]).length
    expect(flips).toBe(2) // once to the candidate on the way up, once back on the way down
  }
})

test('a unit keeps its version as long as the share stays', () => {
  for (const unit of units.slice(0, 1_000)) {
    expect(positionOf(deploymentSalt, unit)).toBe(positionOf(deploymentSalt, unit))
  }
})

test('the share of units that go to the candidate is the share that was ordered', () => {
  for (const share of [0.01, 0.1, 0.5]) {
    const found = positions.filter((position) => goesToCandidate(position, share)).length / units.length
    expect(Math.abs(found - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / units.length))
  }
})

test('a position is the first eight bytes of SHA-256 over salt and unit, as a fraction below 1', () => {
  const bytes = createHash('sha256').update('flight-delay:ORD-LGA-17:30').digest().readBigUInt64BE(0)
  expect(positionOf('flight-delay:', 'ORD-LGA-17:30')).toBeCloseTo(Number(bytes) / 2 ** 64, 12)
  expect(positions.every((position) => position >= 0 && position < 1)).toBe(true)
})
