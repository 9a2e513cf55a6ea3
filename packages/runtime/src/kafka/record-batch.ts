import type { LogRecord } from '@interlock/contracts'
import type { AppendRecord } from '../event-log.ts'
import { decompress } from './codecs.ts'
import { crc32c } from './crc32c.ts'

/**
 * Record batches, format 2, the only one that brokers since 4.0 know.
 *
 * @source Kafka documentation, "Record Batch" and "Record"; KIP-98
 */

/** Where a batch's fields lie. */
const at = {
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
const lengthsBytes = 12
const magic = 2
const attribute = { codec: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 } as const
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
  const cursor = new Cursor(bytes, at.records)
  cursor.skipToKey()
  const key = cursor.field()
  return key !== null && key.length >= 4 && key.readInt16BE(2) === abortMarker
}

const noHeaders: Readonly<Record<string, string>> = Object.freeze({})

/**
 * The records of a batch from `from` to `to` (exclusive). Keys and values are views of the batch or, where it was
 * compressed, of what came out of it.
 *
 * @throws Error where the checksum or the format is wrong
 */
export function recordsOf(
  { baseOffset, bytes }: RecordBatch,
  topic: string,
  partition: number,
  from: bigint,
  to: bigint,
  into: LogRecord[],
): void {
  const damaged = (what: string) =>
    new Error(`${topic}/${partition}: the batch at offset ${baseOffset} is damaged: ${what}. Restore it from a replica`)
  if (crc32c(bytes.subarray(at.attributes)) !== bytes.readUInt32BE(at.crc)) throw damaged('its checksum is wrong')
  const attributes = bytes.readInt16BE(at.attributes)
  const appended = (attributes & attribute.logAppendTime) !== 0 ? Number(bytes.readBigInt64BE(at.maxTimestamp)) : null
  const baseTimestamp = Number(bytes.readBigInt64BE(at.baseTimestamp))
  const count = bytes.readInt32BE(at.count)
  try {
    const cursor = new Cursor(decompress(attributes & attribute.codec, bytes.subarray(at.records)), 0)
    for (let index = 0; index < count; index++) {
      const end = cursor.recordEnd()
      const timestamp = baseTimestamp + cursor.varlong()
      const offset = baseOffset + BigInt(cursor.varint())
      if (offset >= to) return
      if (offset >= from) {
        const key = cursor.field()
        const value = cursor.field()
        into.push({ topic, partition, offset, at: appended ?? timestamp, key, value, headers: cursor.headers(end) })
      }
      cursor.position = end
    }
  } catch (error) {
    throw damaged((error as Error).message)
  }
}

/** Reads a record's fields: variable-length integers in zigzag, lengths before bytes, −1 for absent. */
class Cursor {
  position: number
  private readonly bytes: Buffer
  private headersStart = 0
  private headersLength = -1
  private lastHeaders = noHeaders
  constructor(bytes: Buffer, position: number) {
    this.bytes = bytes
    this.position = position
  }

  recordEnd(): number {
    const length = this.varint()
    const end = this.position + length
    if (length < 0 || end > this.bytes.length) throw new Error('a record is longer than its batch')
    this.position += 1 // attributes: none are in use
    return end
  }

  skipToKey(): void {
    this.recordEnd()
    this.varlong()
    this.varint()
  }

  varint(): number {
    const value = this.varlong()
    if (value !== (value | 0)) throw new Error('an integer is too large')
    return value
  }

  varlong(): number {
    let byte = this.bytes[this.position++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let raw = byte & 0x7f
    let scale = 128
    do {
      if (this.position >= this.bytes.length || scale > 2 ** 49) throw new Error('an integer does not end')
      byte = this.bytes[this.position++]!
      raw += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80)
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }

  field(): Buffer | null {
    const length = this.varint()
    if (length < 0) return null
    const start = this.position
    this.position += length
    if (this.position > this.bytes.length) throw new Error('a field is longer than its batch')
    return this.bytes.subarray(start, this.position)
  }

  /** Up to `end`, where the record ends. Records mostly have the headers of the one before, and share them then. */
  headers(end: number): Readonly<Record<string, string>> {
    const start = this.position
    const { bytes } = this
    if (bytes[start] === 0) return noHeaders
    const length = end - start
    if (length === this.headersLength && sameBytes(bytes, start, this.headersStart, length)) return this.lastHeaders
    this.headersStart = start
    this.headersLength = length
    // Without a prototype: a header may be called `__proto__`.
    const headers: Record<string, string> = Object.create(null)
    for (let left = this.varint(); left > 0; left--) {
      const name = this.field()?.toString('utf8') ?? ''
      headers[name] = this.field()?.toString('utf8') ?? ''
    }
    this.lastHeaders = headers
    return headers
  }
}

function sameBytes(bytes: Buffer, a: number, b: number, length: number): boolean {
  for (let index = 0; index < length; index++) if (bytes[a + index] !== bytes[b + index]) return false
  return true
}

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
