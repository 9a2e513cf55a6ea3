import type { Request } from './kafka-client.ts'
import { brokerError } from './kafkajs-internals.ts'
import { Reader, Writer } from './wire.ts'

export interface Produced {
  /** The protocol's code; 0 is none. */
  readonly errorCode: number
  readonly baseOffset: bigint
  /** ms; −1 where the topic keeps the producer's time. */
  readonly logAppendTime: bigint
}

const acksAll = -1

/**
 * Appends one record batch to one partition and waits for all replicas in sync.
 *
 * @source Kafka protocol, Produce v7 (brokers since 2.1)
 */
export function produceRequest(topic: string, partition: number, batch: Buffer, replicasMs: number): Request<Produced> {
  const body = new Writer().string(null).int16(acksAll).int32(replicasMs)
  body.int32(1).string(topic).int32(1).int32(partition).int32(batch.length).bytes(batch)
  return { apiKey: 0, apiName: 'Produce', apiVersion: 7, body: body.done(), decode: decodeProduced }
}

function decodeProduced(payload: Buffer): { throttleMs: number; answer: Produced } {
  const reader = new Reader(payload)
  const [answer] = reader
    .list(() => {
      reader.string()
      return reader.list((): Produced => {
        reader.int32() // partition
        const produced = { errorCode: reader.int16(), baseOffset: reader.int64(), logAppendTime: reader.int64() }
        reader.int64() // log start
        return produced
      })
    })
    .flat()
  if (!answer) throw new Error('the broker answered without the partition')
  return { throttleMs: reader.int32(), answer }
}

/** Of a producer without transactions; the broker wants the time nevertheless. */
const transactionTimeoutMs = 60_000

export interface ProducerId {
  readonly id: bigint
  readonly epoch: number
}

/**
 * A fresh identity for an idempotent producer.
 *
 * @source Kafka protocol, InitProducerId v1; KIP-98
 */
export function initProducerIdRequest(): Request<ProducerId> {
  const body = new Writer().string(null).int32(transactionTimeoutMs)
  return { apiKey: 22, apiName: 'InitProducerId', apiVersion: 1, body: body.done(), decode: decodeProducerId }
}

function decodeProducerId(payload: Buffer): { throttleMs: number; answer: ProducerId } {
  const reader = new Reader(payload)
  const throttleMs = reader.int32()
  const errorCode = reader.int16()
  if (errorCode !== 0) throw brokerError(errorCode)
  return { throttleMs, answer: { id: reader.int64(), epoch: reader.int16() } }
}
