import { deadReasons } from '@interlock/contracts'
import { z } from 'zod'
import type { DeadLetterPorts, LetterSelection } from './dead-letters.ts'
import { Problem } from './problem.ts'
import { evaluatedTo, type Projection } from './projection.ts'
import { parsed, type Route } from './route.ts'

const time = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const place = z.string().regex(/^[^/]{1,249}\/\d{1,6}\/\d{1,16}$/, 'is <topic>/<partition>/<offset>')
const selection = z.strictObject({
  topic: z.string().max(249).optional(),
  reason: z.enum(deadReasons).optional(),
  since: time.optional(),
  until: time.optional(),
  place: place.optional(),
})
const replayBody = z.strictObject({ selection, after: place.nullable() })
const takenQuery = z.strictObject({
  topic: z.string().max(249),
  partition: time,
  offset: z.string().regex(/^\d{1,16}$/),
})

/**
 * Dead letters. Reasons and hashes for whoever may look; what writes events, and the payload, for programs with the token.
 */
export function deadLetterRoutes(
  ports: DeadLetterPorts | undefined,
  projections: ReadonlyMap<string, Projection>,
  wrap: (body: unknown) => unknown,
): readonly Route[] {
  const letters = (): DeadLetterPorts => {
    if (ports !== undefined) return ports
    throw new Problem(501, 'Not here', 'This console reads no dead letters.')
  }
  const closedTo = (deployment: string): number | null => {
    const projection = projections.get(deployment)
    return projection === undefined ? null : evaluatedTo(projection)
  }
  return [
    {
      method: 'GET',
      url: '/api/v1/dead-letters',
      summary: 'Dead letters by topic and reason, with counts',
      query: selection,
      answer: async (request) => wrap(await letters().list(selected(parsed(selection, request.query, 'query')))),
    },
    {
      method: 'GET',
      url: '/api/v1/dead-letters/one',
      summary: 'One dead record: reason, rows, hash and size, never the payload',
      query: z.strictObject({ place }),
      answer: async (request) => {
        const of = parsed(z.strictObject({ place }), request.query, 'query').place
        const shown = await letters().show(of)
        if (shown === null) throw new Problem(404, 'Not found', `No dead letter names ${of}; letters are kept 7 days.`)
        return wrap(shown)
      },
    },
    {
      method: 'GET',
      url: '/api/v1/dead-letters/replay-plan',
      summary: 'What submitting the open rows again would do now',
      query: selection,
      only: 'bearer',
      perMinute: 60,
      answer: async (request) =>
        wrap(await letters().plan(selected(parsed(selection, request.query, 'query')), closedTo)),
    },
    {
      method: 'POST',
      url: '/api/v1/dead-letters/replay',
      summary: 'Appends copies of dead records; each open row is counted once, however often it is done',
      body: replayBody,
      only: 'bearer',
      answer: async (request) => {
        const body = parsed(replayBody, request.body, 'body')
        return wrap(await letters().replay(selected(body.selection), body.after))
      },
    },
    {
      method: 'GET',
      url: '/api/v1/dead-letters/taken',
      summary: 'Whether the profiler has taken a copy',
      query: takenQuery,
      only: 'bearer',
      answer: async (request) => {
        const { topic, partition, offset } = parsed(takenQuery, request.query, 'query')
        return wrap({ taken: await letters().taken(topic, partition, BigInt(offset)) })
      },
    },
    {
      method: 'POST',
      url: '/api/v1/dead-letters/payload',
      summary: 'The payload of a dead record, for a signed request of a person who may be on call',
      body: z.record(z.string(), z.unknown()),
      only: 'bearer',
      perMinute: 30,
      answer: async (request) => {
        const answered = await letters().payload(Buffer.from(JSON.stringify(request.body), 'utf8'))
        if ('refused' in answered) throw new Problem(403, 'Not shown', answered.refused)
        return wrap({ base64: Buffer.from(answered.bytes).toString('base64') })
      },
    },
  ]
}

/** Without keys whose value is undefined. */
function selected(
  given: {
    readonly [Key in keyof LetterSelection]: LetterSelection[Key] | undefined
  },
): LetterSelection {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as LetterSelection
}
