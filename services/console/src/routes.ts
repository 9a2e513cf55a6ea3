import { deploymentIdPattern } from '@interlock/contracts'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ConsolePorts, Envelope, OperatorRequest } from './api.ts'
import { deadLetterRoutes } from './dead-letter-routes.ts'
import { missingOf, pageOf, rowOf, shadowOf } from './deployment-page.ts'
import { guardedMinutes } from './guarded-minutes.ts'
import { Problem } from './problem.ts'
import { evaluatedTo, type Projection, projectionBounds } from './projection.ts'
import { receiptStream } from './receipt.ts'
import { receiptPlanOf } from './receipt-plan.ts'
import { idempotencyKey, type Requests, requestBody } from './requests.ts'
import { rollbackPlanOf } from './rollback-plan.ts'
import { parsed, type Route } from './route.ts'
import { maxPoints, seriesOf } from './series.ts'
import type { Streams } from './stream.ts'
import { explainingDecision, whyOf } from './why.ts'

/** What routes answer from. */
export interface Answering {
  readonly now: () => number
  readonly cursor: () => string
  readonly projections: ReadonlyMap<string, Projection>
  readonly requests: Requests
  readonly streams: Streams
  readonly receipt: ConsolePorts['receipt']
  readonly deadLetters: ConsolePorts['deadLetters']
}

const id = z.strictObject({ id: z.string().regex(deploymentIdPattern) })
const decisionId = z.strictObject({ decision: z.string().regex(/^[0-9a-f]{64}$/, 'is a hash of 64 hex digits') })
const moment = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const span = z.strictObject({
  from: moment.default(0),
  to: moment.default(Number.MAX_SAFE_INTEGER),
  points: z.coerce.number().int().min(10).max(maxPoints).default(maxPoints),
})
const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(projectionBounds.decisions).default(50),
  before: z.coerce.number().int().min(0).optional(),
})
const sinceQuery = z.strictObject({ since: moment.default(0) })
const receiptQuery = z.strictObject({ of: z.string().min(1).max(200), onset: moment.optional() })
const topics = z.strictObject({ topics: z.string().min(1).max(2_000) })

export function apiRoutes(answering: Answering): readonly Route[] {
  const { now, cursor, projections, requests, streams, receipt } = answering
  const wrap = <Body>(about: readonly Projection[], body: Body): Envelope<Body> => {
    const ends = about.map(evaluatedTo).filter((end) => end !== null)
    const missing = missingOf(about, now())
    return {
      asOf: new Date(now()).toISOString(),
      // Of several deployments the oldest: up to there all of them were evaluated.
      evaluatedTo: ends.length === 0 ? null : new Date(Math.min(...ends)).toISOString(),
      cursor: cursor(),
      complete: missing.length === 0,
      missing,
      body,
    }
  }
  const find = (request: FastifyRequest): Projection => {
    const name = parsed(id, request.params, 'path').id
    const projection = projections.get(name)
    if (projection === undefined || projection.state === null) throw unknownDeployment(name)
    return projection
  }
  const about = <Body>(request: FastifyRequest, answer: (projection: Projection) => Body | null): Envelope<Body> => {
    const projection = find(request)
    const body = answer(projection)
    if (body === null) throw unknownDeployment(projection.deployment)
    return wrap([projection], body)
  }
  return [
    {
      method: 'GET',
      url: '/api/v1/deployments',
      summary: 'All deployments, a line each',
      answer: () => {
        const known = [...projections.values()].filter(({ state }) => state !== null)
        const rows = known.map((projection) => rowOf(projection, now())).filter((row) => row !== null)
        return wrap(
          known,
          rows.sort((a, b) => (a.deployment < b.deployment ? -1 : 1)),
        )
      },
    },
    {
      method: 'GET',
      url: '/api/v1/deployments/:id',
      summary: 'All that the page of a deployment shows, charts aside',
      params: id,
      answer: (request) => about(request, pageOf),
    },
    {
      method: 'GET',
      url: '/api/v1/deployments/:id/series',
      summary: 'Panes and evidence over time; thinning keeps the smallest and largest values',
      params: id,
      query: span,
      answer: (request) => {
        const { from, to, points } = parsed(span, request.query, 'query')
        return about(request, ({ lines }) => seriesOf(lines, from, to, points))
      },
    },
    {
      method: 'GET',
      url: '/api/v1/deployments/:id/decisions',
      summary: 'Decisions, newest first; `before` is a sequence number',
      params: id,
      query: page,
      answer: (request) => {
        const { limit, before = Number.POSITIVE_INFINITY } = parsed(page, request.query, 'query')
        return about(request, ({ decisions, decisionsTotal }) => {
          const shown = decisions.filter(({ out }) => out.sequence < before).slice(0, limit)
          return { shown: shown.length, total: decisionsTotal, decisions: shown.map(({ out }) => out) }
        })
      },
    },
    {
      method: 'GET',
      url: '/api/v1/deployments/:id/shadow',
      summary: 'The policy on trial, and where it and the policy in force parted, newest first',
      params: id,
      answer: (request) => about(request, shadowOf),
    },
    {
      method: 'GET',
      url: '/api/v1/deployments/:id/why',
      summary: 'The decision that explains the present, its evidence, counts and input ranges',
      params: id,
      answer: (request) =>
        about(request, (projection) => {
          const decision = explainingDecision(projection)
          if (decision === undefined) throw new Problem(404, 'Not found', 'Nothing was decided about it yet.')
          return whyOf(projection, decision)
        }),
    },
    {
      method: 'GET',
      url: '/api/v1/why/:decision',
      summary: 'The same for one decision, by its hash',
      params: decisionId,
      answer: (request) => {
        const { decision } = parsed(decisionId, request.params, 'path')
        for (const projection of projections.values()) {
          const found = projection.decisions.find(({ out }) => out.id === decision)
          if (found !== undefined) return wrap([projection], whyOf(projection, found))
        }
        throw new Problem(
          404,
          'Not found',
          `No decision ${decision.slice(0, 8)}… is among the last 1,000 of any deployment.`,
        )
      },
    },
    {
      method: 'GET',
      url: '/api/v1/deployments/:id/guarded',
      summary: 'The share of its serving time that each version was really watched, with gaps and their causes',
      params: id,
      query: sinceQuery,
      answer: (request) => {
        const { since } = parsed(sinceQuery, request.query, 'query')
        return about(request, (projection) => guardedMinutes(projection, since, now()))
      },
    },
    {
      method: 'GET',
      url: '/api/v1/deployments/:id/rollback-plan',
      summary: 'What a rollback would do now, whether it would help, and what is ready',
      params: id,
      answer: (request) => about(request, rollbackPlanOf),
    },
    {
      method: 'POST',
      url: '/api/v1/requests',
      summary: 'Asks for a rollback, hold, release or halt; signed with the local operator’s key',
      body: requestBody,
      status: 202,
      perMinute: 60,
      answer: (request) => {
        const body = parsed(requestBody, request.body, 'body')
        const key = parsed(idempotencyKey, request.headers['idempotency-key'], 'Idempotency-Key')
        if ((projections.get(body.deployment)?.state ?? null) === null) throw unknownDeployment(body.deployment)
        return requests.record(body as OperatorRequest, key)
      },
    },
    {
      method: 'GET',
      url: '/api/v1/receipts',
      summary:
        'What a withdrawn version answered, JSON a line: the plan, each answer, and what it rests on. `of` is a deployment, a decision or `<deployment>/<order>`',
      query: receiptQuery,
      only: 'bearer',
      perMinute: 10,
      answer: (request, reply) => {
        const { of, onset } = parsed(receiptQuery, request.query, 'query')
        if (receipt === undefined) throw new Problem(501, 'Not here', 'This console reads no events.')
        const { plan } = receiptPlanOf(projections, of, onset)
        reply.type('application/x-ndjson')
        return receiptStream(plan, receipt)
      },
    },
    ...deadLetterRoutes(answering.deadLetters, projections, (body) => wrap([], body)),
    {
      method: 'GET',
      url: '/api/v1/stream',
      summary: 'Server-sent events that say what changed: topics fleet and d:<deployment>',
      query: topics,
      answer: (request, reply) => {
        streams.serve(request, reply, parsed(topics, request.query, 'query').topics.split(','))
      },
    },
  ]
}

function unknownDeployment(name: string): Problem {
  return new Problem(404, 'Not found', `No deployment "${name}" is registered. GET /api/v1/deployments lists them.`)
}
