import {
  canonicalJson,
  type KeyEntry,
  Malformed,
  parseStrict,
  type Refused,
  type Signer,
  signEnvelope,
  verifyEnvelope,
} from '@interlock/contracts'
import { z } from 'zod'

/** DSSE payload type of a receipt's header: no other signature can stand under one. */
export const receiptPayloadType = 'application/vnd.interlock.receipt+json'
const maxHeaderBytes = 1 << 20

const whole = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const offset = z.string().regex(/^\d+$/)
const span = z.strictObject({ topic: z.string(), partition: whole, from: offset, to: offset })
const word = z.union([z.string(), z.number(), z.null()])

/** What is signed: everything that a receipt says, and the hash of its rows. */
const headerSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('exposure-receipt'),
  /** Who made it, by which key, and when by that machine's clock. */
  by: z.string(),
  madeAt: whole,
  plan: z.strictObject({
    deployment: z.string(),
    environment: z.string(),
    topic: z.string(),
    paneMs: whole,
    generation: whole,
    decision: hash,
    decidedAt: whole,
    outcome: z.string(),
    text: z.string(),
    order: z.tuple([whole, whole, whole, whole]),
    from: z.string(),
    to: z.string().nullable(),
    onset: z.strictObject({
      from: z.number(),
      to: z.number().nullable(),
      source: z.enum(['evidence', 'earlier-evidence', 'whole-exposure', 'asked']),
      guardrail: z.string().nullable(),
      decision: hash.nullable(),
    }),
    verified: z.strictObject({ decision: hash, at: whole, by: z.string() }).nullable(),
    until: z.number().nullable(),
  }),
  end: z.strictObject({
    rows: whole,
    late: whole,
    first: z.number().nullable(),
    last: z.number().nullable(),
    sums: z.array(z.strictObject({ dimension: z.string(), value: word, rows: whole })),
    read: z.array(span),
    expired: z.strictObject({ rows: whole, spans: z.array(span) }),
    dead: z.record(z.string(), whole),
  }),
  /** Every answer from the onset on is listed, and the end of the exposure is verified. */
  complete: z.boolean(),
  /** SHA-256 of the lines of the rows, each with its line end. */
  rowsHash: hash,
})
export type ReceiptHeader = z.infer<typeof headerSchema>

/** What the running Interlock says of a receipt. @throws Error where it is of another build */
export function readSaid(said: unknown): Pick<ReceiptHeader, 'plan' | 'end'> {
  return headerSchema.pick({ plan: true, end: true }).parse(said)
}

/** The first line of a receipt. */
export function signHeader(header: ReceiptHeader, signer: Signer): string {
  const envelope = signEnvelope(signer, receiptPayloadType, Buffer.from(canonicalJson(header), 'utf8'))
  return Buffer.from(envelope).toString('utf8')
}

export type VerifiedHeader =
  | { readonly ok: true; readonly header: ReceiptHeader; readonly key: KeyEntry }
  | Refused
  | { readonly ok: false; readonly reason: 'wrong-shape'; readonly detail: string }

/** A header that a person whom the keyset names signed, and which names that very person. */
export function verifyHeader(line: string, keys: readonly KeyEntry[]): VerifiedHeader {
  const verified = verifyEnvelope(Buffer.from(line, 'utf8'), {
    payloadType: receiptPayloadType,
    roles: ['person'],
    keys,
    maxBytes: maxHeaderBytes,
  })
  if (!verified.ok) return verified
  const wrong = (detail: string): VerifiedHeader => ({ ok: false, reason: 'wrong-shape', detail })
  let json: unknown
  try {
    json = parseStrict(verified.payload, { maxBytes: maxHeaderBytes })
  } catch (error) {
    if (error instanceof Malformed) return wrong(error.message)
    throw error
  }
  const parsed = headerSchema.safeParse(json)
  if (!parsed.success)
    return wrong(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
  const header = parsed.data
  if (header.by !== verified.key.holder)
    return wrong(`"${header.by}" is named, and the key that signed is ${verified.key.holder}'s`)
  return { ok: true, header, key: verified.key }
}

/** Nothing is missing: no answer's record has expired, and it is verified that the version answers no more. */
export function isComplete({ plan, end }: Pick<ReceiptHeader, 'plan' | 'end'>): boolean {
  return end.expired.rows === 0 && plan.verified !== null
}
