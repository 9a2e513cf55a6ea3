import type { LogRecord } from '@interlock/contracts'
import type { AppendRecord } from './event-log.ts'

const text = new TextDecoder()

/**
 * Records of one append as one blob: per record three big-endian lengths (key, value, headers; 0 = absent, else
 * length + 1), then the bytes. Offsets are the first one's plus the index, the time is the batch's.
 */
export function encodeBatch(records: readonly AppendRecord[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const record of records) {
    const headers =
      record.headers && Object.keys(record.headers).length > 0 ? JSON.stringify(record.headers) : undefined
    const fields = [record.key, record.value, headers === undefined ? undefined : Buffer.from(headers, 'utf8')]
    const lengths = Buffer.alloc(12)
    for (const [index, field] of fields.entries()) lengths.writeUInt32BE(field ? field.length + 1 : 0, index * 4)
    parts.push(lengths)
    for (const field of fields) if (field) parts.push(field)
  }
  return Buffer.concat(parts)
}

export function decodeBatch(
  topic: string,
  partition: number,
  first: bigint,
  at: number,
  bytes: Uint8Array,
): readonly LogRecord[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const records: LogRecord[] = []
  let offset = first
  for (let position = 0; position < buffer.length; ) {
    let start = position + 12
    const take = (index: number): Uint8Array | null => {
      const length = buffer.readUInt32BE(position + index * 4)
      if (length === 0) return null
      if (start + length - 1 > buffer.length) throw new Error(`${topic}/${partition}: batch at ${first} is torn`)
      const field = bytes.subarray(start, start + length - 1)
      start += length - 1
      return field
    }
    const key = take(0)
    const value = take(1)
    const headers = take(2)
    records.push({ topic, partition, offset, at, key, value, headers: headers ? JSON.parse(text.decode(headers)) : {} })
    position = start
    offset += 1n
  }
  return records
}
