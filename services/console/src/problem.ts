import type { FastifyReply, FastifyRequest } from 'fastify'

/** An answer that is no: `application/problem+json` (RFC 9457). `detail` says what, where, why and what to do. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly title: string
  constructor(status: number, title: string, detail: string) {
    super(detail)
    this.status = status
    this.title = title
  }
}

/** Sends any error as a problem with the request's id; what is our own bug is told to `report` and not to the caller. */
export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  report: (error: unknown, requestId: string) => void,
): void {
  const problem = problemOf(error)
  if (problem.status >= 500 && !(error instanceof Problem)) report(error, request.id)
  reply.code(problem.status).type('application/problem+json').send({
    type: 'about:blank',
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    instance: request.id,
  })
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  if (status >= 400 && status < 500) return new Problem(status, titles[status] ?? 'Refused', (error as Error).message)
  return new Problem(500, 'Our mistake', 'The console failed on this request; its log names it by the request id.')
}

const titles: Readonly<Record<number, string>> = {
  400: 'Not understood',
  404: 'Not found',
  413: 'Too large',
  415: 'Wrong content type',
  429: 'Too many requests',
}
