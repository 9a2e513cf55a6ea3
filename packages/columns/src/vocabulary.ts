import { pooledWord } from '@interlock/contracts'
import { bounds } from './bounds.ts'

type Words = readonly (string | null)[]

/** Fewest rows that a category with a bin of its own must have: below it χ² laws do not hold. */
const fewestRows = 5
/** Most rare values whose names are kept; rarer ones still count as unseen. */
const mostPooled = 10_000

/**
 * Categories that get a bin of their own, most frequent first, and the rare ones that share `__other__`.
 *
 * @param rareShare a category with less than max(5 / rows, rareShare) of the rows is rare
 * @source docs/statistics.md "Choosing edges"
 */
export function vocabularyOf(
  columns: readonly Words[],
  rows: number,
  rareShare: number,
): { vocabulary: string[]; pooled: string[] } {
  const counted = byFrequency(columns)
  const isCommon = ([, count]: readonly [string, number]): boolean => count >= Math.max(fewestRows, rareShare * rows)
  const common = counted.filter(isCommon).slice(0, bounds.bins - 1)
  const names = new Set(common.map(([word]) => word))
  const pooled = counted
    .filter(([word]) => !names.has(word) && word !== pooledWord)
    .slice(0, mostPooled)
    .map(([word]) => word)
    .sort()
  const vocabulary = [...names].filter((word) => word !== pooledWord)
  return { vocabulary: pooled.length > 0 || names.has(pooledWord) ? [...vocabulary, pooledWord] : vocabulary, pooled }
}

/** The `most` most frequent words, in alphabetical order. */
export function commonWords(columns: readonly Words[], most: number): string[] {
  return byFrequency(columns)
    .slice(0, most)
    .map(([word]) => word)
    .sort()
}

/** Words with their counts, most frequent first, ties by name. Words too long to be known are left out. */
function byFrequency(columns: readonly Words[]): (readonly [string, number])[] {
  const counts = new Map<string, number>()
  for (const column of columns) {
    for (const word of column) if (word !== null) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return [...counts]
    .filter(([word]) => Buffer.byteLength(word) <= bounds.wordBytes)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
}
