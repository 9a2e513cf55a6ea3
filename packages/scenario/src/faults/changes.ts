import type { Json } from '@interlock/contracts'
import { exp, ln } from '@interlock/statistics'
import type { Row } from '../row.ts'
import type { Change, Subject } from './fault.ts'

/** What can happen to a row. Each change leaves alone what the row does not have. */

const changed = (row: Row, name: string | undefined, change: (value: Json) => Json): Row => {
  if (name === undefined || row.features[name] === undefined) return row
  return { ...row, features: { ...row.features, [name]: change(row.features[name] as Json) } }
}
const number = (change: (value: number) => Json) => (value: Json) => (typeof value === 'number' ? change(value) : value)

type NumberOf = (value: number, size: number, numeric: NonNullable<Subject['numeric']>) => Json

/** Changes the broken number. */
export const numeric =
  (change: NumberOf): Change =>
  (row, { subject, size }) =>
    subject.numeric === null
      ? row
      : changed(
          row,
          subject.numeric.name,
          number((value) => change(value, size, subject.numeric!)),
        )

/** Changes the number that no rule looks at. */
export const unguarded =
  (change: (value: number, size: number) => Json): Change =>
  (row, { subject, size }) =>
    changed(
      row,
      subject.unguarded ?? undefined,
      number((value) => change(value, size)),
    )

/** Changes the category. */
export const category =
  (change: (value: Json, words: readonly string[], uniform: number) => Json): Change =>
  (row, { subject, chance }) =>
    changed(row, subject.category?.name, (value) => change(value, subject.category!.words, chance(1)))

export const missing: Change = (row, { subject }) => changed(row, subject.numeric?.name, () => null)

export const swapped: Change = (row, { subject: { numeric: one, other } }) => {
  if (one === null || other === null) return row
  const { [one.name]: left = null, [other]: right = null } = row.features
  return { ...row, features: { ...row.features, [one.name]: right, [other]: left } }
}

/** The next word of the vocabulary, as a table that is off by one row gives it. */
export const nextWord = (value: Json, words: readonly string[]): Json => {
  const at = words.indexOf(String(value))
  return at < 0 ? value : (words[(at + 1) % words.length] as string)
}

export const score =
  (change: (value: number, size: number) => number): Change =>
  (row, { size }) =>
    row.score === null ? row : { ...row, score: Math.min(1, Math.max(0, change(row.score, size))) }

const leastScore = 1e-6
const logit = (value: number): number => {
  const inside = Math.min(1 - leastScore, Math.max(leastScore, value))
  return ln(inside / (1 - inside))
}
const logistic = (value: number): number => 1 / (1 + exp(-value))

/** All scores move by so many nats; their order stays. */
export const shiftedScore = score((value, nats) => logistic(logit(value) + nats))
/** Scores become more extreme (a temperature below 1) or milder; their order stays. */
export const temperature = score((value, t) => logistic(logit(value) / t))

export const sameAnswer: Change = (row, { subject }) =>
  row.prediction === null && row.score === null
    ? row
    : { ...row, score: row.score === null ? null : 0.5, prediction: subject.classes[0] ?? row.prediction }

export const flipped: Change = (row, { subject: { classes } }) => ({
  ...row,
  score: row.score === null ? null : 1 - row.score,
  prediction: row.prediction === null ? null : (nextWord(row.prediction, classes) as string),
})

export const slower: Change = (row, { size }) => ({
  ...row,
  latencyMs: row.latencyMs === null ? null : row.latencyMs * size,
})

/** Fails with the chance that makes `size` times the healthy failures of all. */
export const failing =
  (status: 'error' | 'timeout'): Change =>
  (row, { size, subject: { errorRate }, chance }) => {
    const more = Math.min(1, ((size - 1) * errorRate) / Math.max(1e-9, 1 - errorRate))
    return chance(1) < more ? { ...row, status, prediction: null, score: null } : row
  }

export const refused: Change = (row) => ({ ...row, status: 'error', prediction: null, score: null })

export const twice: Change = (row) => [row, row]
export const dropped: Change = () => []
/** One more request like it, of another person. */
export const another: Change = (row) => [row, { ...row, id: `${row.id}+`, unit: `${row.unit}+` }]

/** It comes so long after it was answered, ms. */
export const late: Change = (row, { size }) => ({ ...row, eventTimeMs: row.eventTimeMs - size })
