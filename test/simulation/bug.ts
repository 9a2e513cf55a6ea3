import type { FaultKind } from './fault-kinds.ts'

/** One replacement in the text of one module; `find` must stand there exactly once. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/**
 * A bug that the simulation must catch: put into the code as it is loaded (bug-loader.ts), never into the code itself. `seed`,
 * `minutes` and `faults` are those that caught it; the test replays them.
 */
export interface Bug {
  readonly name: string
  readonly what: string
  readonly edits: readonly Edit[]
  readonly faults: readonly FaultKind[]
  readonly seed: number
  readonly minutes: number
}

type Hint = Partial<Pick<Bug, 'faults' | 'seed' | 'minutes'>>

/** A bug of one replacement. */
export function bug(name: string, what: string, file: string, find: string, replace: string, hint: Hint = {}): Bug {
  return { name, what, edits: [{ file, find, replace }], faults: [], seed: 1, minutes: 4, ...hint }
}
