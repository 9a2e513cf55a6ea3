import type { Clock } from '../clock.ts'
import { UnknownTopic } from '../event-log.ts'
import { KafkaClient, type Request } from './kafka-client.ts'
import { brokerCode } from './kafka-errors.ts'
import type { KafkaConnection } from './kafka-options.ts'
import { brokerError } from './kafkajs-internals.ts'
import { Reader, Writer } from './wire.ts'

/** What a principal may do with a topic, by the protocol's code. */
const operations = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  'describe-configs': 10,
  'alter-configs': 11,
} as const
export type TopicOperation = keyof typeof operations

const deadlineMs = 4_500

/**
 * What the principal of this connection may do with each topic, as its brokers tell. A topic that it may not even describe,
 * and one that is not there, look alike: it may do nothing.
 *
 * @throws LogUnavailable
 */
export async function mayDo(
  connection: KafkaConnection,
  clock: Clock,
  topics: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<TopicOperation>>> {
  const client = new KafkaClient(connection, clock)
  const found = new Map<string, ReadonlySet<TopicOperation>>()
  try {
    for (const topic of topics) {
      const ask = async (): Promise<number> => (await client.leader(topic, 0)).send('fetch', operationsRequest(topic))
      try {
        const bits = await client.attempt(`operations on ${topic}`, clock.monotonic() + deadlineMs, ask)
        const names = Object.keys(operations) as TopicOperation[]
        found.set(topic, new Set(names.filter((name) => (bits & (1 << operations[name])) !== 0)))
      } catch (error) {
        if (!(error instanceof UnknownTopic) && brokerCode(error) !== 'TOPIC_AUTHORIZATION_FAILED') throw error
        found.set(topic, new Set())
      }
    }
    return found
  } finally {
    client.close()
  }
}

/**
 * Asks for the bits of what may be done with a topic.
 *
 * @source Kafka protocol, Metadata v8; KIP-430
 */
function operationsRequest(topic: string): Request<number> {
  const body = new Writer()
  body.list([topic], (name) => body.string(name))
  body.int8(0) // make it: no
  body.int8(0) // operations on the cluster: no
  body.int8(1) // operations on the topic: yes
  return { apiKey: 3, apiName: 'Metadata', apiVersion: 8, body: body.done(), decode }
}

function decode(payload: Buffer): { throttleMs: number; answer: number } {
  const reader = new Reader(payload)
  const throttleMs = reader.int32()
  reader.list(() => [reader.int32(), reader.string(), reader.int32(), reader.string()]) // brokers
  reader.string() // cluster
  reader.int32() // controller
  const [answer] = reader.list(() => {
    const errorCode = reader.int16()
    reader.string()
    reader.int8()
    reader.list(() => {
      reader.int16()
      for (let field = 0; field < 3; field++) reader.int32() // partition, leader, its epoch
      for (let list = 0; list < 3; list++) reader.list(() => reader.int32()) // replicas, in sync, offline
    })
    const bits = reader.int32()
    if (errorCode !== 0) throw brokerError(errorCode)
    return bits
  })
  if (answer === undefined) throw new Error('the broker answered without the topic')
  return { throttleMs, answer }
}
