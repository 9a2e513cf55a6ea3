import type { LogRecord, Order } from '@interlock/contracts'
import type { ShardLog } from './shard-reader.ts'

/** Header of a public record: the out that it is a copy of, `<topic>/<partition>/<offset>/<index>`. */
export const sourceHeader = 'source'
/** On commands: the order, `<generation>.<restoreEpoch>.<severity>.<revision>`. */
export const orderHeader = 'order'
/** On commands: offset up to which the topic had been read, and put right, before the record was written. */
export const seenHeader = 'seen'

/** One out of a shard log: the entry's offset and the out's place in it. */
export interface Source {
  readonly offset: bigint
  readonly index: number
}

/** @returns negative, zero or positive as `a` was put out before, with or after `b` */
export function compareSources(a: Source, b: Source): number {
  return a.offset === b.offset ? a.index - b.index : a.offset < b.offset ? -1 : 1
}

export function sourceText({ topic, partition }: ShardLog, { offset, index }: Source): string {
  return `${topic}/${partition}/${offset}/${index}`
}

/** @returns null when the record is no copy of an out of this shard log */
export function sourceOf({ topic, partition }: ShardLog, { headers }: LogRecord): Source | null {
  const [, name, at, offset, index] = /^(.+)\/(\d+)\/(\d+)\/(\d+)$/.exec(headers[sourceHeader] ?? '') ?? []
  if (name !== topic || Number(at) !== partition) return null
  return { offset: BigInt(offset!), index: Number(index) }
}

export function orderInHeader({ headers }: LogRecord): Order | null {
  const numbers = (headers[orderHeader] ?? '').split('.').map(Number)
  return numbers.length === 4 && numbers.every(Number.isSafeInteger) ? (numbers as unknown as Order) : null
}
