import type { Row } from '../row.ts'

/** Whom a fault hits: the new version alone, both versions alike, or both through the rows of one producer. */
export type Where = 'candidate' | 'both' | 'producer'

/** What a fault is about in this deployment: names from the baseline, and how they look while all is well. */
export interface Subject {
  /** A number that is broken, and another one that it may be swapped with. */
  readonly numeric: {
    readonly name: string
    readonly middle: number
    readonly last: number
    readonly width: number
  } | null
  readonly other: string | null
  /** A number that no rule looks at. */
  readonly unguarded: string | null
  readonly category: { readonly name: string; readonly words: readonly string[] } | null
  readonly producer: string
  /** A segment's dimension with a frequent value (about one row in twenty) and a rare one (one in a hundred). */
  readonly segment: { readonly name: string; readonly frequent: string; readonly rare: string } | null
  readonly classes: readonly string[]
  readonly errorRate: number
}

/** What a change may look at besides the row. */
export interface Circumstance {
  readonly subject: Subject
  /** Strength of the fault, in its own measure. */
  readonly size: number
  /** A uniform number of this row alone, another one for each purpose. */
  chance(purpose: number): number
}

/** How a fault changes one row: into another one, several, or none. Pure. */
export type Change = (row: Row, circumstance: Circumstance) => Row | readonly Row[]

/** What a fault needs the deployment to have. */
export type Need =
  | 'numeric'
  | 'other'
  | 'unguarded'
  | 'category'
  | 'segment'
  | 'score'
  | 'classes'
  | 'latency'
  | 'errors'

/** One fault of the catalogue: what happens, to whom, how strongly. */
export interface Fault {
  readonly id: string
  /** One plain sentence; `{f}`, `{o}`, `{c}`, `{p}`, `{s}` stand for the names of the subject. */
  readonly says: string
  readonly needs: readonly Need[]
  readonly where: Where
  readonly size: number
  /** Only rows of this value of the segment. */
  readonly within?: 'frequent' | 'rare'
  /** Part of the rows that are hit (default all). */
  readonly part?: number
  /** Time in which the part of hit rows grows from nothing to `part`, in panes (default at once). */
  readonly rampPanes?: number
  /** No fault at all: whoever stops it is wrong. */
  readonly isHarmless?: true
  readonly change: Change
}
