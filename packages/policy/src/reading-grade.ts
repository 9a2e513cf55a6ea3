/**
 * Reading grade of an English text, after Flesch and Kincaid: .39 · words a sentence + 11.8 · syllables a word − 15.59.
 * Names in quotes and anything with a digit count as one word of one syllable: they are not ours to choose.
 *
 * @returns the school grade, 0 at least; 0 for a text without words
 * @source Kincaid, Fishburne, Rogers & Chissom, "Derivation of new readability formulas", Research Branch Report 8-75 (1975)
 */
export function readingGrade(text: string): number {
  const plain = text.replace(/"[^"]*"/g, 'it')
  const sentences = plain.split(/[.?:;](?:\s|$)/).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence)).length
  const found = plain.split(/[\s/-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word))
  if (found.length === 0) return 0
  const syllables = found.reduce((sum, word) => sum + syllablesOf(word), 0)
  return Math.max(0, 0.39 * (found.length / sentences) + 11.8 * (syllables / found.length) - 15.59)
}

/** Syllables by groups of vowels, without a silent e; a good guess for English, and never below 1. */
export function syllablesOf(word: string): number {
  if (/\d/.test(word)) return 1
  const letters = word.toLowerCase().replace(/[^a-z]/g, '')
  if (letters.length <= 3) return 1
  const sounded = letters.replace(/(?:[^laeiouy]es|[^aeioutd]ed|[^laeiouy]e)$/, '').replace(/^y/, '')
  return Math.max(1, sounded.match(/[aeiouy]{1,2}/g)?.length ?? 1)
}
