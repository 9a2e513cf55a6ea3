import type { Row } from './row.ts'

/** Bytes of one message, well below what a record may have, since rows differ in length. */
const messageBytes = 262_144
const mostRows = 500

/** Rows as messages of the predictions topic, in their order. */
export function messagesOf(rows: readonly Row[]): readonly Uint8Array[] {
  const rowBytes = rows.length === 0 ? 1 : JSON.stringify(rows[0]).length
  const size = Math.max(1, Math.min(mostRows, Math.floor(messageBytes / rowBytes)))
  const messages: Uint8Array[] = []
  for (let from = 0; from < rows.length; from += size) {
    messages.push(Buffer.from(JSON.stringify({ records: rows.slice(from, from + size) })))
  }
  return messages
}
