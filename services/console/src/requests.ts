import { deploymentIdPattern } from '@interlock/contracts'
import { z } from 'zod'
import type { ConsolePorts, OperatorRequest, Recorded } from './api.ts'
import { Problem } from './problem.ts'

export const maxReasonLength = 500
/** Requests whose answer is remembered, so that a retry with the same key records nothing twice. */
const rememberedRequests = 1_000

/** What a person may ask for here: raising severity, and holds. Lowering it takes two people, elsewhere. */
export const requestBody = z.strictObject({
  kind: z.enum(['rollback', 'hold', 'release-hold', 'halt']),
  deployment: z.string().regex(deploymentIdPattern),
  reason: z
    .string()
    .trim()
    .min(1, 'is required: say why, in a sentence')
    .max(maxReasonLength, `has at most ${maxReasonLength} characters`),
})

export const idempotencyKey = z
  .string('is required: a fresh id for each wish, the same for its retries')
  .regex(/^[A-Za-z0-9_-]{8,64}$/, 'has 8 to 64 letters, digits, dashes and underscores')

/** Records requests, each key once. */
export class Requests {
  readonly #submit: ConsolePorts['submit']
  readonly #known = new Map<string, { readonly body: string; readonly answer: Promise<Recorded> }>()
  recorded = 0
  failed = 0

  constructor(submit: ConsolePorts['submit']) {
    this.#submit = submit
  }

  /** The same key with the same body gives the same answer; with another body it is refused. */
  async record(request: OperatorRequest, id: string): Promise<Recorded> {
    const body = JSON.stringify(request)
    const before = this.#known.get(id)
    if (before !== undefined && before.body !== body) {
      throw new Problem(
        409,
        'Key used already',
        `Idempotency-Key ${id} named another request before: take a fresh one.`,
      )
    }
    if (before !== undefined) return before.answer
    const answer = this.#record(request, id)
    this.#known.set(id, { body, answer })
    const oldest = this.#known.keys().next().value
    if (this.#known.size > rememberedRequests && oldest !== undefined) this.#known.delete(oldest)
    return answer
  }

  async #record(request: OperatorRequest, id: string): Promise<Recorded> {
    try {
      const { offset } = await this.#submit(request, id)
      this.recorded++
      return { id, offset: String(offset) }
    } catch (error) {
      this.failed++
      this.#known.delete(id)
      const cause = error instanceof Error ? error.message : String(error)
      throw new Problem(
        503,
        'Not known whether recorded',
        `The request log did not confirm it (${cause}). Send it again with the same Idempotency-Key: it counts once.`,
      )
    }
  }
}
