import { expect, test } from 'vitest'
import { readingGrade, syllablesOf } from './reading-grade.ts'

test('syllables are counted as a reader hears them', () => {
  const heard = {
    the: 1,
    limit: 2,
    data: 2,
    answered: 2,
    stable: 2,
    takes: 1,
    promotion: 3,
    evidence: 3,
    moving: 2,
    '1,600': 1,
  }
  for (const [word, syllables] of Object.entries(heard)) expect(syllablesOf(word), word).toBe(syllables)
})

test('plain words read far below grade 8, the words of statistics far above', () => {
  expect(readingGrade('Too few people to show. The old one answers now.')).toBeLessThan(3)
  expect(
    readingGrade(
      'The multinomial divergence statistic significantly exceeds its predetermined asymptotic critical value.',
    ),
  ).toBeGreaterThan(15)
})

test('a known sentence gets the grade of the formula', () => {
  // 13 words in one sentence; "kitchen" and "garden" have two syllables, all others one.
  expect(readingGrade('The cat sat on the big red mat in the old kitchen-garden.')).toBeCloseTo(
    0.39 * 13 + 11.8 * (15 / 13) - 15.59,
    5,
  )
})
