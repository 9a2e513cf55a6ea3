import { packCounts } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { HyperLogLog, relativeError } from './hyper-log-log.ts'
import { keyOf } from './murmur3.ts'

const encoder = new TextEncoder()

/** Relative errors of the estimates of `distinct` ids in so many logs. */
function errorsOf(logs: number, distinct: number): readonly number[] {
  return Array.from({ length: logs }, (_, trial) => {
    const log = new HyperLogLog()
    for (let id = 0; id < distinct; id++) log.add(keyOf(encoder.encode(`${trial}/${id}`)))
    return log.distinct / distinct - 1
  })
}

function spread(errors: readonly number[]): { readonly bias: number; readonly deviation: number } {
  const bias = errors.reduce((sum, error) => sum + error, 0) / errors.length
  return { bias, deviation: Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length) }
}

test('over 120 sets of 20,000 ids the error is the 1.04/√m that is promised, without bias', () => {
  const { bias, deviation } = spread(errorsOf(120, 20_000))
  // A deviation from 120 draws is itself uncertain by 6.5 %, and the mean by 0.15 %.
  expect(deviation).toBeGreaterThan(0.8 * relativeError)
  expect(deviation).toBeLessThan(1.2 * relativeError)
  expect(Math.abs(bias)).toBeLessThan(0.006)
})

test.each([1, 10, 100, 1_000])('%i ids are told within 5 %, and on average exactly', (distinct) => {
  const errors = errorsOf(40, distinct)
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(0.05)
  expect(Math.abs(spread(errors).bias)).toBeLessThan(0.004)
})

test('between linear counting and the raw estimate nothing jumps: 10,240 ids, where the classic estimator is biased', () => {
  const { bias, deviation } = spread(errorsOf(60, 10_240))
  expect(Math.abs(bias)).toBeLessThan(0.008)
  expect(deviation).toBeLessThan(1.3 * relativeError)
})

test('duplicates change nothing, and nobody is nobody', () => {
  const once = new HyperLogLog()
  expect(once.distinct).toBe(0)
  for (let id = 0; id < 500; id++) once.add(keyOf(encoder.encode(`${id}`)))
  const before = once.pack()
  for (let id = 0; id < 500; id++) once.add(keyOf(encoder.encode(`${id}`)))
  expect(once.pack()).toEqual(before)
})

test('ranks are places of the first one bit: of the 41 bits below the register, or one more where there is none', () => {
  const packed = (key: number): Uint8Array => {
    const log = new HyperLogLog()
    log.add(key)
    return log.pack()
  }
  const register = 5 * 2 ** 41
  const at = (rank: number): Uint8Array => packCounts([0, 0, 0, 0, 0, rank])
  expect(packed(register + 2 ** 40)).toEqual(at(1))
  expect(packed(register + 2 ** 41 - 1)).toEqual(at(1))
  expect(packed(register + 2 ** 32)).toEqual(at(9))
  expect(packed(register + 2 ** 31)).toEqual(at(10))
  expect(packed(register + 1)).toEqual(at(41))
  expect(packed(register)).toEqual(at(42))
})

test('registers that no key can fill are refused, and where all are full the estimate is as many ids as there are keys', () => {
  const log = new HyperLogLog()
  expect(() => log.addPacked(packCounts([43]))).toThrow('above 42')
  expect(() => log.addPacked(packCounts([...Array<number>(4_096).fill(0), 1]))).toThrow(RangeError)
  log.addPacked(packCounts(Array<number>(4_096).fill(42)))
  expect(log.distinct).toBe(2 ** 53)
})
