import { type Appended, type AppendRecord, LogUnavailable } from '../event-log.ts'
import { encodeRecordBatch } from './encode-record-batch.ts'
import type { KafkaClient, Request } from './kafka-client.ts'
import { brokerCode } from './kafka-errors.ts'
import { brokerError } from './kafkajs-internals.ts'
import { initProducerIdRequest, type Produced, type ProducerId, produceRequest } from './produce.ts'

/** Below the runtime's deadline for an append, so that "surely not" is told from "perhaps". */
export const appendDeadlineMs = 4_500
/** How long the leader may wait for its replicas; below the time after which the client gives an answer up. */
const replicasMs = 2_500
const producersTime = -1n
const maxSequence = 0x7fffffff

/** After these the leader may hold the batch all the same. */
const landedPerhaps: ReadonlySet<string> = new Set(['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'])
/** It landed, but so long ago that the broker no longer says where. */
const landedSomewhere = 'DUPLICATE_SEQUENCE_NUMBER'
/** The broker does not know our sequence any more: what an earlier try did stays open, and a new producer is needed. */
const producerForgotten: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
])

/**
 * Appends to one partition, one batch at a time, as an idempotent producer: a batch whose answer was lost is sent again
 * as it was, and the broker answers with the place of the first. A call leaves at most one copy. What is still open at
 * the deadline is `'unknown'`, and another producer goes on.
 *
 * @source KIP-98, "Idempotent producer guarantees"
 */
export class PartitionAppender {
  private readonly client: KafkaClient
  private readonly topic: string
  private readonly partition: number
  private producer: ProducerId | null = null
  private sequence = 0
  private last: Promise<unknown> = Promise.resolve()

  constructor(client: KafkaClient, topic: string, partition: number) {
    this.client = client
    this.topic = topic
    this.partition = partition
  }

  /** @throws UnknownTopic, LogUnavailable, or the broker's refusal: it has surely not landed and never will */
  append(records: readonly AppendRecord[]): Promise<Appended | 'unknown'> {
    const deadline = this.client.clock.monotonic() + appendDeadlineMs
    const appended = this.last.then(() => this.send(records, deadline))
    this.last = appended.catch(() => {})
    return appended
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    await this.last
  }

  private async send(records: readonly AppendRecord[], deadline: number): Promise<Appended | 'unknown'> {
    const { client, topic, partition } = this
    const what = `appending to ${topic}/${partition}`
    if (client.clock.monotonic() >= deadline) throw new LogUnavailable(`${what}: those before it took too long`)
    const timestamp = client.clock.now()
    let request: Request<Produced> | null = null
    /** A try was sent and may have landed, though no answer said so. */
    let open = false
    let tries = 0

    const once = async (): Promise<Produced | 'unknown'> => {
      const mine = ++tries
      // A try that was given up must not send behind the back of the next one, or of a caller that was told "no".
      const failIfGivenUp = () => {
        if (mine !== tries) throw new LogUnavailable(`${what}: given up`)
      }
      const leader = await client.leader(topic, partition)
      failIfGivenUp()
      if (this.producer === null) {
        const made = await leader.send('append', initProducerIdRequest())
        failIfGivenUp()
        this.producer = made
        this.sequence = 0
      }
      const { id, epoch } = this.producer
      request ??= produceRequest(
        topic,
        partition,
        encodeRecordBatch(records, timestamp, { id, epoch, sequence: this.sequence }),
        replicasMs,
      )
      const before = open
      open = true
      const produced = await leader.send('append', request)
      failIfGivenUp()
      if (produced.errorCode === 0) return produced
      const error = brokerError(produced.errorCode)
      const code = brokerCode(error) ?? ''
      if (code === landedSomewhere) return 'unknown'
      if (!landedPerhaps.has(code)) open = before
      if (!producerForgotten.has(code)) throw error
      if (before) return 'unknown'
      this.producer = null
      request = null
      return once()
    }

    try {
      const produced = await client.attempt(what, deadline, once)
      if (produced !== 'unknown') {
        this.sequence = (this.sequence + records.length) & maxSequence
        const { baseOffset, logAppendTime } = produced
        return { offset: baseOffset, at: logAppendTime === producersTime ? timestamp : Number(logAppendTime) }
      }
    } catch (error) {
      if (!open) throw error
    } finally {
      tries = Number.POSITIVE_INFINITY
    }
    // Sequence numbers must not go on behind a batch of which nobody knows.
    this.producer = null
    return 'unknown'
  }
}
