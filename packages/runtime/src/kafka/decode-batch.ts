import type { LogRecord, Unreadable } from '@interlock/contracts'
import { type BatchOfRecords, BatchRecord } from './batch-record.ts'
import { decompress, TooLarge } from './codecs.ts'
import { crc32c } from './crc32c.ts'
import { at, attribute, type RecordBatch } from './record-batch.ts'
import { RecordCursor } from './record-cursor.ts'

/** More than any batch of 1 MiB can hold uncompressed; a compressed one could hold a hundred million empty records. */
export const maxBatchRecords = 200_000

const outOfMemory: ReadonlySet<string> = new Set(['Z_MEM_ERROR', 'ERR_MEMORY_ALLOCATION_FAILED'])

export interface DecodedBatch {
  readonly records: readonly LogRecord[]
  /** That the records hold beside the batch. */
  readonly decompressedBytes: number
}

/**
 * All records of a batch; their keys and values are views of its bytes or, where it was compressed, of what came out.
 *
 * What is as its producer sent it and cannot be read becomes one unreadable record at the batch's last offset, whatever
 * range is wanted, so that every reading of the log finds the same.
 *
 * @throws Error where the checksum is wrong: the log is damaged, and another replica may not be
 */
export async function decodeBatch(batch: RecordBatch, topic: string, partition: number): Promise<DecodedBatch> {
  const { baseOffset, lastOffset, bytes } = batch
  if (crc32c(bytes.subarray(at.attributes)) !== bytes.readUInt32BE(at.crc)) {
    throw new Error(
      `${topic}/${partition}: the batch at offset ${baseOffset} is damaged: its checksum is wrong. Restore it from a replica`,
    )
  }
  const attributes = bytes.readInt16BE(at.attributes)
  const count = bytes.readInt32BE(at.count)
  const appended = (attributes & attribute.logAppendTime) !== 0
  try {
    if (count > maxBatchRecords) throw new TooLarge(`it holds ${count} records; at most ${maxBatchRecords} are taken`)
    const codec = attributes & attribute.codec
    const compressed = bytes.subarray(at.records)
    const body = codec === 0 ? compressed : await decompress(codec, compressed)
    const baseTime = Number(bytes.readBigInt64BE(appended ? at.maxTimestamp : at.baseTimestamp))
    const records = recordsIn({ topic, partition, baseOffset, baseTime, body, count, appended })
    return { records, decompressedBytes: codec === 0 ? 0 : body.length }
  } catch (error) {
    // Of this process and this moment, not of the batch: another reading would find otherwise.
    if (outOfMemory.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    const what = count === 1 ? 'the record' : `${count} records of one batch from offset ${baseOffset} on`
    const unreadable: Unreadable = {
      reason: error instanceof TooLarge ? 'oversized' : 'malformed',
      detail: `${what} cannot be read: ${(error as Error).message}`,
      from: baseOffset,
      records: Math.max(1, count),
    }
    const time = Number(bytes.readBigInt64BE(at.maxTimestamp))
    const record = { topic, partition, offset: lastOffset, at: time, key: null, value: null, headers: {}, unreadable }
    return { records: [record], decompressedBytes: 0 }
  }
}

interface Shared extends BatchOfRecords {
  readonly count: number
  /** Every record has the batch's time, whatever it says itself. */
  readonly appended: boolean
}

function recordsIn(batch: Shared): LogRecord[] {
  const { body, count, appended } = batch
  const records: LogRecord[] = []
  const cursor = new RecordCursor(body, 0)
  const shared = {
    topic: batch.topic,
    partition: batch.partition,
    baseOffset: batch.baseOffset,
    baseTime: batch.baseTime,
    body,
  }
  for (let index = 0; index < count; index++) {
    const end = cursor.recordEnd()
    const timeDelta = cursor.varlong()
    const offsetDelta = cursor.varint()
    const keyLength = cursor.varint()
    const keyFrom = cursor.position
    if (keyLength > 0) cursor.position = keyFrom + keyLength
    const valueLength = cursor.varint()
    const valueFrom = cursor.position
    if (valueLength > 0) cursor.position = valueFrom + valueLength
    if (cursor.position > end) throw new Error('a field is longer than its record')
    const headers = cursor.headers(end)
    const delta = appended ? 0 : timeDelta
    records.push(new BatchRecord(shared, offsetDelta, delta, keyFrom, keyLength, valueFrom, valueLength, headers))
    cursor.position = end
  }
  return records
}
