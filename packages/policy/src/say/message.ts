import { contentHash } from '@interlock/contracts'
import { capital, textOf, type Words, words } from './phrases.ts'
import type { Said } from './said.ts'

/** An entry of the catalogue, filled in: its id and its sentences, each with its full stop. */
export type Message = { readonly id: string; readonly sentences: readonly Words[] }

export function message(id: string, ...sentences: readonly Words[]): Message {
  return { id, sentences: sentences.filter((sentence) => sentence.length > 0) }
}

/**
 * The cause in front of what was done. A cause that somebody wrote becomes a sentence; one that is a sentence already stays as it
 * is, for it may begin with a version's name.
 */
export function because(cause: string | null): Words {
  const text = cause?.trim() ?? ''
  if (text === '') return []
  return words`${/[.?]$/.test(text) ? text : `${capital(text)}.`}`
}

export function saidOf({ id, sentences }: Message): Said {
  const parts = sentences.reduce<Words>(
    (all, sentence) => (all.length === 0 ? sentence : words`${all} ${sentence}`),
    [],
  )
  const text = textOf(parts)
  const brief = sentences.slice(0, 2).map(textOf).join(' ')
  return { id, text, parts, brief, hash: contentHash({ id, text }) }
}
