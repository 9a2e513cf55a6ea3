import { readCommitted } from './fetch.ts'
import type { Request } from './kafka-client.ts'
import { brokerError } from './kafkajs-internals.ts'
import { Reader, Writer } from './wire.ts'

/** Special timestamps of the protocol. `latest`, read committed: behind the last record that may be read. */
export const timestampOf = { earliest: -2n, latest: -1n } as const

/**
 * First or last offset of a partition. A new leader that does not know its end yet answers with an error.
 *
 * @source Kafka protocol, ListOffsets v3
 */
export function listOffsetsRequest(topic: string, partition: number, timestamp: bigint): Request<bigint> {
  const body = new Writer().int32(-1).int8(readCommitted)
  body.int32(1).string(topic).int32(1).int32(partition).int64(timestamp)
  return { apiKey: 2, apiName: 'ListOffsets', apiVersion: 3, body: body.done(), decode }
}

function decode(payload: Buffer): { throttleMs: number; answer: bigint } {
  const reader = new Reader(payload)
  const throttleMs = reader.int32()
  const [answer] = reader
    .list(() => {
      reader.string()
      return reader.list(() => {
        reader.int32()
        const errorCode = reader.int16()
        reader.int64() // timestamp
        if (errorCode !== 0) throw brokerError(errorCode)
        return reader.int64()
      })
    })
    .flat()
  if (answer === undefined) throw new Error('the broker answered without the partition')
  return { throttleMs, answer }
}
