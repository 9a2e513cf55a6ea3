import type { Request } from './kafka-client.ts'
import { Reader, Writer } from './wire.ts'

export interface FetchPartition {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

export interface Fetched {
  readonly topic: string
  readonly partition: number
  /** The protocol's code; 0 is none. */
  readonly errorCode: number
  /** Behind the last record that no open transaction holds back: what may be read. */
  readonly stable: bigint
  readonly aborted: readonly Aborted[]
  /** Record batches as they lie in the log, the last one perhaps torn. A view of the answer. */
  readonly batches: Buffer
}

/** A transaction that was thrown away and has records in what was fetched. */
export interface Aborted {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

const fetchKey = 1
const fetchVersion = 11
const consumerReplica = -1
const minBytes = 1
/** Records of open transactions are not given out, so that a range once read never changes. */
export const readCommitted = 1

/**
 * Fetches partitions that one broker leads, from any offsets, without a group and without a session. At least one whole
 * batch comes, however small `maxBytes` is.
 *
 * @source Kafka protocol, Fetch v11 (brokers since 2.3)
 */
export function fetchRequest(
  partitions: readonly FetchPartition[],
  { waitMs, maxBytes }: { readonly waitMs: number; readonly maxBytes: number },
): Request<readonly Fetched[]> {
  const byTopic = new Map<string, FetchPartition[]>()
  for (const one of partitions) byTopic.set(one.topic, [...(byTopic.get(one.topic) ?? []), one])
  const body = new Writer().int32(consumerReplica).int32(waitMs).int32(minBytes).int32(maxBytes).int8(readCommitted)
  body.int32(0).int32(-1) // no session
  body.list([...byTopic], ([topic, wanted]) => {
    body.string(topic).list(wanted, ({ partition, offset }) => {
      body.int32(partition).int32(-1).int64(offset).int64(-1n).int32(maxBytes)
    })
  })
  body.int32(0).string('') // nothing to forget; no rack
  return { apiKey: fetchKey, apiName: 'Fetch', apiVersion: fetchVersion, body: body.done(), decode, heldMs: waitMs }
}

function decode(payload: Buffer): { throttleMs: number; answer: readonly Fetched[] } {
  const reader = new Reader(payload)
  const throttleMs = reader.int32()
  const errorCode = reader.int16()
  reader.int32() // session
  const answer = reader.list(() => {
    const topic = reader.string()
    return reader.list((): Fetched => {
      const partition = reader.int32()
      const own = reader.int16()
      reader.int64() // high watermark
      const stable = reader.int64()
      reader.int64() // log start
      const aborted = reader.list(() => ({ producerId: reader.int64(), firstOffset: reader.int64() }))
      reader.int32() // preferred replica
      return { topic, partition, errorCode: errorCode || own, stable, aborted, batches: reader.bytes() }
    })
  })
  return { throttleMs, answer: answer.flat() }
}
