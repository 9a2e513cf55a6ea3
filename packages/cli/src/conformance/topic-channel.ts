import { shardOf, topics } from '@interlock/contracts'
import { type EventLog, UnknownTopic } from '@interlock/runtime'
import type { Channel } from './channel.ts'

/** Partitions of the topics, where the kit has to make them. */
const partitionsMade = 1

/** An agent that is reached by the topics `commands` and `facts`. Nobody answers there: what counts is what it does. */
export async function topicChannel(log: EventLog, deployment: string): Promise<Channel> {
  const partitionOf = async (topic: string, compacted: boolean): Promise<number> => {
    try {
      return shardOf(deployment, await log.partitions(topic))
    } catch (error) {
      if (!(error instanceof UnknownTopic)) throw error
      await log.createTopic(topic, { partitions: partitionsMade, compacted })
      return shardOf(deployment, partitionsMade)
    }
  }
  const commands = await partitionOf(topics.commands, true)
  const facts = await partitionOf(topics.facts, false)
  let next = (await log.bounds(topics.facts, facts)).end
  /** End of the facts when the agent was last waited for. */
  let waitingSince: bigint | undefined
  return {
    name: 'topics commands and facts',
    compacts: true,
    async send(bytes) {
      const record = { key: Buffer.from(deployment), value: bytes }
      const appended = await log.append(topics.commands, commands, record)
      const detail = appended === 'unknown' ? 'the log does not say whether it took it' : `offset ${appended.offset}`
      return { outcome: 'unheard', detail }
    },
    async newFacts() {
      const { end } = await log.bounds(topics.facts, facts)
      const found: Uint8Array[] = []
      if (end <= next) return found
      for await (const batch of log.read({ topic: topics.facts, partition: facts, from: next, to: end })) {
        for (const { key, value } of batch.records)
          if (value !== null && key !== null && Buffer.from(key).toString() === deployment) found.push(value)
      }
      next = end
      return found
    },
    async answers() {
      const { end } = await log.bounds(topics.facts, facts)
      if (waitingSince !== undefined && end > waitingSince) {
        waitingSince = undefined
        return true
      }
      waitingSince ??= end
      return false
    },
    close: () => log.close(),
  }
}
