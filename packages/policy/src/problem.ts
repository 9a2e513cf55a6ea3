/** What can be wrong with a policy's source. */
export type ProblemCode =
  | 'too-large'
  | 'too-deep'
  | 'not-yaml'
  | 'not-plain'
  | 'duplicate-key'
  | 'bad-key'
  | 'unknown-key'
  | 'missing-key'
  | 'wrong-type'
  | 'wrong-value'
  | 'stages'
  | 'signal'
  | 'unknown-feature'
  | 'unknown-segment'
  | 'against'
  | 'tolerance'
  | 'budget'
  | 'role'
  | 'action'
  | 'slices'
  | 'gates'
  | 'loss-of-guardrail'
  | 'times'
  | 'wording'
  | 'class'
  | 'layers'
  | 'exceptions'
  | 'blind'

/** A mistake in a policy: where (line and column count from 1), what happened, why it matters, what to write instead. */
export type Problem = {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: ProblemCode
  readonly happened: string
  readonly why: string
  readonly instead: string
}

/** The problem as the command line prints it. */
export function formatProblem({ file, line, column, happened, why, instead }: Problem): string {
  return [
    `${file}:${line}:${column}  ${happened}`,
    ...[why, instead].filter((text) => text !== '').map((text) => `  ${text}`),
  ].join('\n')
}

/**
 * The candidate nearest to a word that was mistyped, or null where none is near: at most one edit in three letters
 * (insert, delete, replace, swap of neighbours). Ties go to the first.
 */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > longestWord) return null
  let best: string | null = null
  let least = Math.floor(Math.max(word.length, 3) / 3) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue
    const distance = edits(word.toLowerCase(), candidate.toLowerCase())
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** "Did you mean …" where something is near, else the list of what is there. */
export function suggest(word: string, candidates: readonly string[], there: string): string {
  const near = nearest(word, candidates)
  if (near !== null) return `Did you mean "${near}"?`
  if (candidates.length === 0) return ''
  const shown = candidates.slice(0, 12).join(', ')
  return `${there}: ${shown}${candidates.length > 12 ? ` and ${candidates.length - 12} more` : ''}.`
}

/** What an author wrote, cut to what a line can show; control characters are made visible. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : String(JSON.stringify(value))
  const cut = text.length > 40 ? `${text.slice(0, 40)}…` : text
  return JSON.stringify(cut)
}

/** Words beyond this length are no mistyped names. */
const longestWord = 64

/** Optimal string alignment distance. */
function edits(left: string, right: string): number {
  let older: number[] = []
  let old = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const line = [row]
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1]
      let cost = Math.min(old[column]! + 1, line[column - 1]! + 1, old[column - 1]! + (same ? 0 : 1))
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        cost = Math.min(cost, older[column - 2]! + 1)
      }
      line.push(cost)
    }
    older = old
    old = line
  }
  return old[right.length]!
}
