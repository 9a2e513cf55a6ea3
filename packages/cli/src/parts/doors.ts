import { shardOf, topics } from '@interlock/contracts'
import type { EventLog } from '@interlock/runtime'
import type { FastifyInstance } from 'fastify'

export interface DoorPorts {
  readonly log: EventLog
  /** Topics that `/ingest/:topic` may write to: an allow-list, so that no event can pose as a record of ours. */
  readonly eventTopics: () => readonly string[]
}

/**
 * The two doors through which bytes enter an embedded log by HTTP. Both answer after the commit; what is wrong inside the
 * bytes is for the processor to say, as a counted dead letter.
 *
 *  - `POST /ingest/:topic`: events of production services, content type as on the topic
 *  - `POST /api/v1/signed-requests?deployment=`: a person's DSSE envelope
 */
export function doors(app: FastifyInstance, { log, eventTopics }: DoorPorts): void {
  let turn = 0
  app.post<{ Params: { topic: string }; Body: Buffer }>('/ingest/:topic', async (request, reply) => {
    const { topic } = request.params
    if (!eventTopics().includes(topic)) {
      return reply
        .code(404)
        .send({ title: 'Unknown topic', detail: `"${topic}" takes no events; topics are ${eventTopics().join(', ')}` })
    }
    const contentType = request.headers['content-type'] ?? 'application/json'
    // Rows are counted alike wherever they lie; in turn, so that every shard has its part of the work.
    const partition = turn++ % (await log.partitions(topic))
    const appended = await log.append(topic, partition, {
      value: request.body,
      headers: { 'content-type': contentType },
    })
    if (appended === 'unknown')
      return reply
        .code(503)
        .send({ title: 'Not known whether it was taken', detail: 'Send it again; a repeated event counts twice.' })
    return reply.code(200).send({ offset: String(appended.offset) })
  })

  app.post<{ Querystring: { deployment?: string }; Body: Buffer }>(
    '/api/v1/signed-requests',
    async (request, reply) => {
      const { deployment } = request.query
      if (deployment === undefined || deployment === '') {
        return reply
          .code(400)
          .send({ title: 'Which deployment?', detail: 'Name it: /api/v1/signed-requests?deployment=<id>' })
      }
      const partition = shardOf(deployment, await log.partitions(topics.requests))
      const appended = await log.append(topics.requests, partition, {
        key: Buffer.from(deployment),
        value: request.body,
      })
      if (appended === 'unknown')
        return reply.code(503).send({
          title: 'Not known whether it was recorded',
          detail: 'Send the same envelope again: its id makes a repetition harmless.',
        })
      return reply.code(202).send({ offset: String(appended.offset) })
    },
  )
}
