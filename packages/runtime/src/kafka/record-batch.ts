import { RecordCursor } from './record-cursor.ts'

/**
 * Record batches, format 2, the only one that brokers since 4.0 know.
 *
 * @source Kafka documentation, "Record Batch" and "Record"; KIP-98
 */

/** Where a batch's fields lie. */
export const at = {
  baseOffset: 0,
  batchLength: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const
/** What `batchLength` does not count: itself and the offset before it. */
export const lengthsBytes = 12
export const magic = 2
export const attribute = { codec: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 } as const
const abortMarker = 0

/** A whole batch as it lies in the log; the bytes are a view of the fetch's answer. */
export interface RecordBatch {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly producerId: bigint
  readonly transactional: boolean
  /** Commit and abort markers: never data. */
  readonly control: boolean
  readonly bytes: Buffer
}

/** The whole batches of an answer. What is torn at its end is not given out: the next fetch begins there. */
export function* batchesOf(set: Buffer): Generator<RecordBatch> {
  for (let start = 0; start + at.records <= set.length; ) {
    const size = lengthsBytes + set.readInt32BE(start + at.batchLength)
    if (size < at.records) throw new Error(`a record batch says that it has ${size} bytes`)
    if (start + size > set.length) return
    const bytes = set.subarray(start, start + size)
    if (bytes[at.magic] !== magic) {
      throw new Error(
        `record batch of format ${bytes[at.magic]}; this build reads format 2, which Kafka writes since 0.11`,
      )
    }
    const attributes = bytes.readInt16BE(at.attributes)
    const baseOffset = bytes.readBigInt64BE(at.baseOffset)
    yield {
      baseOffset,
      lastOffset: baseOffset + BigInt(bytes.readInt32BE(at.lastOffsetDelta)),
      producerId: bytes.readBigInt64BE(at.producerId),
      transactional: (attributes & attribute.transactional) !== 0,
      control: (attributes & attribute.control) !== 0,
      bytes,
    }
    start += size
  }
}

/** Whether a control batch ends its producer's transaction by throwing it away. */
export function isAbort({ bytes }: RecordBatch): boolean {
  const cursor = new RecordCursor(bytes, at.records)
  cursor.skipToKey()
  const key = cursor.field()
  return key !== null && key.length >= 4 && key.readInt16BE(2) === abortMarker
}
