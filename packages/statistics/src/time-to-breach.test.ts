import fc from 'fast-check'
import { expect, test } from 'vitest'
import { timeToBreach } from './time-to-breach.ts'

/** Evidence that rises by 0.1 nats a pane, with a jitter that cancels. */
const rising = (panes: number, jitter: number): number[] =>
  Array.from({ length: panes + 1 }, (_, pane) => 0.1 * pane + (pane % 2 === 0 ? 0 : jitter))

test('evidence that rises evenly reaches its limit after what is left over the drift, in an interval around it', () => {
  const time = timeToBreach(rising(40, 0.05), 8)
  expect(time?.estimate).toBeGreaterThan(37)
  expect(time?.estimate).toBeLessThan(40.5)
  expect(time?.low).toBeLessThan(time?.estimate ?? 0)
  expect(time?.high).toBeGreaterThan(time?.estimate ?? Number.POSITIVE_INFINITY)
})

test('the less even the rise, the wider the interval, until nothing is told', () => {
  const width = (jitter: number) => {
    const time = timeToBreach(rising(40, jitter), 8)
    return time === null ? Number.POSITIVE_INFINITY : time.high - time.low
  }
  expect(width(0.1)).toBeGreaterThan(width(0.05))
  expect(timeToBreach(rising(40, 3), 8)).toBeNull()
})

test('too few panes, a fall, or a limit that is reached give no warning', () => {
  expect(timeToBreach(rising(11, 0.05), 8)).toBeNull()
  expect(timeToBreach(rising(12, 0.05), 8)).not.toBeNull()
  expect(timeToBreach([...rising(40, 0.05)].reverse(), 8)).toBeNull()
  expect(timeToBreach(rising(40, 0.05), 3)).toBeNull()
  expect(timeToBreach([], 8)).toBeNull()
})

test('whatever the evidence: no warning, or three finite times in order', () => {
  const step = fc.double({ min: -20, max: 20, noNaN: true })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.double({ min: 0, max: 500, noNaN: true }), (steps, limit) => {
      let sum = 0
      const time = timeToBreach([0, ...steps.map((each) => (sum += each))], limit)
      if (time === null) return
      const { low, estimate, high } = time
      expect([low, estimate, high].every(Number.isFinite)).toBe(true)
      expect(low >= 0 && low <= estimate && estimate <= high).toBe(true)
    }),
  )
})
