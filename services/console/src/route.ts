import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { Problem } from './problem.ts'

/** One operation of the API: what Fastify serves and what openapi.json says are made of the same table. */
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly summary: string
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  readonly status?: number
  /** Requests a minute and principal; absent: the limit of all. */
  readonly perMinute?: number
  /** For programs with the token alone: it names people. */
  readonly only?: 'bearer'
  answer(request: FastifyRequest, reply: FastifyReply): unknown
}

/** @throws Problem 400 that names the field */
export function parsed<Type>(schema: z.ZodType<Type>, value: unknown, where: string): Type {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const detail = result.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${[where, ...path].join('.')}: ${message}`)
    .join('; ')
  throw new Problem(400, 'Not understood', `${detail}.`)
}
