import type { DeadReason } from '@interlock/contracts'
import { bounds } from './bounds.ts'

/** Why a row, or a whole record, was not taken. `row` is −1 where the fault is the record's. */
export interface Fault {
  readonly record: number
  readonly row: number
  readonly reason: DeadReason
  readonly detail: string
}

/** Thrown inside a decoder, caught by `decodeRecord`: the payload is not what it says it is. */
export class Unreadable extends Error {
  readonly reason: DeadReason
  constructor(reason: DeadReason, detail: string) {
    super(detail)
    this.reason = reason
  }
}

/** Words of others inside our sentences: cut, and only printable characters. */
export function quoted(text: string): string {
  const cut = text.length > 48 ? `${text.slice(0, 48)}…` : text
  return `"${cut.replace(/[^\x20-\x7e…]/g, '?')}"`
}

export function cutDetail(detail: string): string {
  return detail.length > bounds.detail ? `${detail.slice(0, bounds.detail - 1)}…` : detail
}
