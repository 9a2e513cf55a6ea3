/**
 * A set of rows of one message as bits: row r is bit r mod 8 of byte ⌊r / 8⌋, the lowest bit first. Canonical: no zero byte
 * at the end, so equal sets are equal bytes. A message has at most `bounds.rows` rows, so a set has at most 8 KiB.
 */
export type RowBits = Uint8Array

export function rowBits(rows: Iterable<number>): RowBits {
  const all = [...rows]
  const bits = new Uint8Array(all.reduce((most, row) => Math.max(most, (row >> 3) + 1), 0))
  for (const row of all) bits[row >> 3]! |= 1 << (row & 7)
  return bits
}

export function hasRow(bits: RowBits, row: number): boolean {
  return (((bits[row >> 3] ?? 0) >> (row & 7)) & 1) === 1
}

export function rowsIn(bits: RowBits): number[] {
  const rows: number[] = []
  for (let row = 0; row < bits.length * 8; row++) if (hasRow(bits, row)) rows.push(row)
  return rows
}

export function countRowBits(bits: RowBits): number {
  let count = 0
  for (const byte of bits) for (let rest = byte; rest > 0; rest &= rest - 1) count++
  return count
}

/** Rows of either. */
export function unionRows(a: RowBits, b: RowBits): RowBits {
  return trimmed(Uint8Array.from({ length: Math.max(a.length, b.length) }, (_, at) => (a[at] ?? 0) | (b[at] ?? 0)))
}

/** Rows of `a` that are not in `b`. */
export function withoutRows(a: RowBits, b: RowBits): RowBits {
  return trimmed(Uint8Array.from(a, (byte, at) => byte & ~(b[at] ?? 0)))
}

function trimmed(bits: RowBits): RowBits {
  let length = bits.length
  while (length > 0 && bits[length - 1] === 0) length--
  return bits.subarray(0, length)
}
