import type { AppendRecord } from '../event-log.ts'
import { crc32c } from './crc32c.ts'
import { at, lengthsBytes, magic } from './record-batch.ts'
import { noHeaders } from './record-cursor.ts'

/** Who appends, so that the broker can tell a repeated append from a new one. */
export interface ProducerState {
  readonly id: bigint
  readonly epoch: number
  /** Of the first record. */
  readonly sequence: number
}

/** One uncompressed batch: the broker appends it as a whole or not at all. */
export function encodeRecordBatch(
  records: readonly AppendRecord[],
  timestamp: number,
  producer: ProducerState,
): Buffer {
  const bodies = records.map((record, index) => bodyBytes(record, index))
  const most = bodies.reduce((sum, body) => sum + body + maxVarintBytes, at.records)
  const batch = Buffer.allocUnsafe(most)
  let end: number = at.records
  const varint = (value: number) => {
    let raw = zigzag(value)
    for (; raw >= 0x80; raw >>>= 7) batch[end++] = (raw & 0x7f) | 0x80
    batch[end++] = raw
  }
  const bytes = (field: Uint8Array | null) => {
    varint(field === null ? -1 : field.length)
    if (field === null) return
    batch.set(field, end)
    end += field.length
  }
  const text = (field: string) => {
    varint(Buffer.byteLength(field))
    end += batch.write(field, end)
  }
  for (const [index, { key, value, headers }] of records.entries()) {
    varint(bodies[index]!)
    batch[end++] = 0 // attributes
    varint(0) // time: the batch's
    varint(index)
    bytes(key ?? null)
    bytes(value)
    const named = Object.entries(headers ?? noHeaders)
    varint(named.length)
    for (const [name, content] of named) {
      text(name)
      text(content)
    }
  }
  batch.writeBigInt64BE(0n, at.baseOffset)
  batch.writeInt32BE(end - lengthsBytes, at.batchLength)
  batch.writeInt32BE(-1, at.leaderEpoch)
  batch.writeInt8(magic, at.magic)
  batch.writeInt16BE(0, at.attributes)
  batch.writeInt32BE(records.length - 1, at.lastOffsetDelta)
  batch.writeBigInt64BE(BigInt(timestamp), at.baseTimestamp)
  batch.writeBigInt64BE(BigInt(timestamp), at.maxTimestamp)
  batch.writeBigInt64BE(producer.id, at.producerId)
  batch.writeInt16BE(producer.epoch, at.producerEpoch)
  batch.writeInt32BE(producer.sequence, at.baseSequence)
  batch.writeInt32BE(records.length, at.count)
  const whole = batch.subarray(0, end)
  whole.writeUInt32BE(crc32c(whole.subarray(at.attributes)), at.crc)
  return whole
}

const maxVarintBytes = 5

/** Length of a record behind its own length. */
function bodyBytes({ key, value, headers }: AppendRecord, index: number): number {
  const named = Object.entries(headers ?? noHeaders)
  let sum = 2 + varintBytes(index) + fieldBytes(key?.length) + fieldBytes(value?.length) + varintBytes(named.length)
  for (const [name, content] of named) {
    sum += fieldBytes(Buffer.byteLength(name)) + fieldBytes(Buffer.byteLength(content))
  }
  return sum
}

function fieldBytes(length: number | undefined): number {
  return length === undefined ? 1 : varintBytes(length) + length
}

/** Seven bits a byte, lowest first. */
function varintBytes(value: number): number {
  const bits = 32 - Math.clz32(zigzag(value) | 1)
  return Math.ceil(bits / 7)
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}
