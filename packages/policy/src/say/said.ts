import type { Hash } from '@interlock/contracts'

/** A piece of a sentence: its words, and for names, numbers and times the value behind them. */
export type Part = {
  readonly kind: 'text' | 'name' | 'number' | 'time'
  readonly text: string
  readonly value?: number | string
}

/** A fact in plain words: the one text of console, CLI, alert and ledger. */
export type Said = {
  /** Which message of the catalogue it is, such as `distribution-differs.stable`. */
  readonly id: string
  /** At most three sentences. The texts of `parts`, joined. */
  readonly text: string
  readonly parts: readonly Part[]
  /** The first two sentences: the cause inside another fact (`because`). */
  readonly brief: string
  /** Names id and text by content. Equal hashes: everybody reads the same. */
  readonly hash: Hash
}
