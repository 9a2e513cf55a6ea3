import fc from 'fast-check'
import { expect, test } from 'vitest'
import { draw, drawsOf, keyOfText } from './draw.ts'

test('a number follows from its keys alone and lies from 0 to 1', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(), fc.nat(1_000), (seed, number, purpose) => {
      const once = draw(seed, number, purpose)
      draw(seed + 1, number, purpose)
      expect(draw(seed, number, purpose)).toBe(once)
      expect(once >= 0 && once < 1).toBe(true)
    }),
  )
})

test('numbers of neighbouring rows, purposes and seeds are as good as independent', () => {
  for (const numbers of [
    Array.from({ length: 20_000 }, (_, index) => draw(1, index)),
    Array.from({ length: 20_000 }, (_, index) => draw(1, 7, index)),
    Array.from({ length: 20_000 }, (_, index) => draw(index, 7)),
    Array.from({ length: 20_000 }, (_, index) => drawsOf(1, index)()),
    Array.from({ length: 20_000 }, (_, index) => draw(3, keyOfText(`unit-${index}`))),
  ]) {
    const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length
    const lag = numbers.slice(1).reduce((sum, x, index) => sum + (x - 0.5) * ((numbers[index] as number) - 0.5), 0)
    // Five standard errors: 1/√(12·20,000) and √20,000/12.
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * 0.00204)
    expect(Math.abs(lag)).toBeLessThan(5 * 11.8)
  }
})
