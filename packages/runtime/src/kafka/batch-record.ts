import type { LogRecord } from '@interlock/contracts'

/** What the records of one batch share. */
export interface BatchOfRecords {
  readonly topic: string
  readonly partition: number
  readonly baseOffset: bigint
  /** What the records' times are counted from: ms. */
  readonly baseTime: number
  /** The records' bytes, decompressed. */
  readonly body: Buffer
}

/**
 * One record of a batch, as positions in its bytes. Views of key and value and the offset are made when they are asked
 * for: most of them nobody asks for, and they cost more than all the rest of reading.
 */
export class BatchRecord implements LogRecord {
  readonly headers: Readonly<Record<string, string>>
  private readonly batch: BatchOfRecords
  private readonly offsetDelta: number
  private readonly timeDelta: number
  /** −1: absent. */
  private readonly keyLength: number
  private readonly keyFrom: number
  private readonly valueLength: number
  private readonly valueFrom: number
  private valueView: Buffer | null | undefined

  constructor(
    batch: BatchOfRecords,
    offsetDelta: number,
    timeDelta: number,
    keyFrom: number,
    keyLength: number,
    valueFrom: number,
    valueLength: number,
    headers: Readonly<Record<string, string>>,
  ) {
    this.batch = batch
    this.offsetDelta = offsetDelta
    this.timeDelta = timeDelta
    this.keyFrom = keyFrom
    this.keyLength = keyLength
    this.valueFrom = valueFrom
    this.valueLength = valueLength
    this.headers = headers
    this.valueView = undefined
  }

  get topic(): string {
    return this.batch.topic
  }

  get partition(): number {
    return this.batch.partition
  }

  get offset(): bigint {
    return this.batch.baseOffset + BigInt(this.offsetDelta)
  }

  get at(): number {
    return this.batch.baseTime + this.timeDelta
  }

  get key(): Buffer | null {
    if (this.keyLength < 0) return null
    return this.batch.body.subarray(this.keyFrom, this.keyFrom + this.keyLength)
  }

  /** Kept, for it is asked for again and again. */
  get value(): Buffer | null {
    if (this.valueView === undefined) {
      const end = this.valueFrom + this.valueLength
      this.valueView = this.valueLength < 0 ? null : this.batch.body.subarray(this.valueFrom, end)
    }
    return this.valueView
  }

  /** Bytes of key and value. */
  get size(): number {
    return Math.max(0, this.keyLength) + Math.max(0, this.valueLength)
  }
}
