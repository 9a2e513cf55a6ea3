import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { recordedFile, recordedOf } from './generate-recorded.ts'
import { recordedCases } from './recorded-cases.ts'

/**
 * Evidence of one build must be that of the next: a replay, an audit and a snapshot rest on it. These vectors are no oracle (the
 * tests beside each method are); they say that a number changed. Where that was meant: node packages/statistics/src/generate-recorded.ts
 */
const recorded: Record<string, unknown> = JSON.parse(readFileSync(recordedFile, 'utf8'))

test.each(Object.keys(recordedCases))('%s say what they said when they were recorded, to the last bit', (name) => {
  expect(recordedOf(name)).toEqual(recorded[name])
})

test('no method says NaN or infinity, and every recorded case is still there', () => {
  expect(Object.keys(recorded)).toEqual(Object.keys(recordedCases))
  const { 'elementary functions': _, 'special functions': __, ...methods } = recorded
  expect(JSON.stringify(methods)).not.toMatch(/"(NaN|-?Infinity)"/)
})
