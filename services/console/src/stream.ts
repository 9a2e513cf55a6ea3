import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Change, Changes } from './changes.ts'
import { Problem } from './problem.ts'

/** A silent stream is kept open, and told from a dead one, by a comment each so many ms. */
export const keepAliveMs = 5_000
const maxStreams = 64
const maxTopics = 16
/** A reader that lets so many bytes lie is cut off; it resumes after its cursor. */
const maxUnreadBytes = 1 << 20

/**
 * `GET /api/v1/stream?topics=fleet,d:<id>`: server-sent events that say what changed, each with its cursor as id. The
 * reader fetches what it shows, so that a stream that was cut and one that was not end at the same screen.
 */
export class Streams {
  readonly #changes: Changes
  readonly #open = new Set<() => void>()

  constructor(changes: Changes) {
    this.#changes = changes
  }

  get size(): number {
    return this.#open.size
  }

  serve(request: FastifyRequest, reply: FastifyReply, topics: readonly string[]): void {
    if (this.#open.size >= maxStreams) {
      throw new Problem(503, 'Too many streams', `${maxStreams} streams are open already; close a tab, or poll.`)
    }
    if (topics.length === 0 || topics.length > maxTopics) {
      throw new Problem(400, 'Not understood', `"topics" names 1 to ${maxTopics} topics: fleet, d:<deployment>.`)
    }
    const last = request.headers['last-event-id']
    const missed = typeof last === 'string' && last !== '' ? this.#changes.after(last) : []
    if (missed === null) {
      throw new Problem(410, 'Gone', 'The changes after this event are not known any more: load afresh.')
    }
    const wanted = new Set(topics)
    reply.hijack()
    const { raw } = reply
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value)
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'keep-alive' })
    const send = (change: Change): void => {
      if (!wanted.has(change.topic)) return
      const { id, ...data } = change
      raw.write(`id: ${id}\nevent: change\ndata: ${JSON.stringify(data)}\n\n`)
      if (raw.writableLength > maxUnreadBytes) end()
    }
    const stop = this.#changes.listen(send)
    const timer = setInterval(() => raw.write(': here\n\n'), keepAliveMs)
    const end = (): void => {
      if (!this.#open.delete(end)) return
      stop()
      clearInterval(timer)
      raw.end()
    }
    this.#open.add(end)
    raw.on('close', end)
    raw.on('error', end)
    raw.write(`id: ${this.#changes.cursor}\nevent: open\ndata: {}\n\n`)
    for (const change of missed) send(change)
  }

  close(): void {
    for (const end of this.#open) end()
  }
}
