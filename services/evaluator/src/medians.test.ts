import { describe, expect, test } from 'vitest'
import { medians, quantile } from './medians.ts'

const edges = [0, 10, 20, 40]

describe('a quantile of a histogram', () => {
  test('is interpolated evenly within its bin', () => {
    expect(quantile(edges, [0, 50, 100, 50, 0], 0.5)).toBe(15)
    expect(quantile(edges, [0, 50, 100, 50, 0], 0.25)).toBe(10)
  })

  test('counts the rows beyond the edges, and is unknown among them', () => {
    expect(quantile(edges, [20, 0, 0, 30, 50], 0.5)).toBe(40)
    expect(quantile(edges, [0, 10, 0, 0, 90], 0.5)).toBeUndefined()
    expect(quantile(edges, [90, 10, 0, 0, 0], 0.5)).toBeUndefined()
  })

  test('is unknown for too few rows', () => {
    expect(quantile(edges, [0, 10, 10, 9, 0], 0.5)).toBeUndefined()
    expect(quantile(edges, [0, 0, 0, 0, 0], 0.5, 0)).toBeUndefined()
  })
})

test('medians of two sides need rows on both', () => {
  expect(medians(edges, [0, 0, 30, 0, 0], [0, 29, 0, 0, 0])).toBeUndefined()
  expect(medians(edges, [0, 0, 30, 0, 0], [0, 40, 0, 0, 0])).toEqual({ now: 15, reference: 5 })
})
