import {
  canonicalJson,
  type KeyEntry,
  Malformed,
  parseStrict,
  type Signer,
  signEnvelope,
  verifyEnvelope,
} from '@interlock/contracts'
import { z } from 'zod'

const payloadType = 'application/vnd.interlock.payload-request+json'
/** A request for a payload is good for so long, by the console's clock: a copy of it that somebody finds later is not. */
const goodForMs = 60_000
/** What a person must be allowed to see what production services sent (docs/reliability.md §5.2). */
const ability = 'on-call'

const requestSchema = z.strictObject({
  v: z.literal(1),
  environment: z.string(),
  by: z.string(),
  at: z.int(),
  place: z.string(),
})
type PayloadRequest = z.infer<typeof requestSchema>

/** Envelope bytes of a person's wish to see a payload. */
export function signPayloadRequest(request: PayloadRequest, signer: Signer): Uint8Array {
  return signEnvelope(signer, payloadType, Buffer.from(canonicalJson(request), 'utf8'))
}

/** Whose wish it is and for which payload, or why it is refused. */
export function readPayloadRequest(
  envelope: Uint8Array,
  keys: readonly KeyEntry[],
  environment: string,
  now: number,
): { readonly by: string; readonly place: string } | { readonly refused: string } {
  const verified = verifyEnvelope(envelope, { payloadType, roles: ['person'], keys })
  if (!verified.ok) return { refused: `The request is refused (${verified.reason}): ${verified.detail}.` }
  let request: PayloadRequest
  try {
    request = requestSchema.parse(parseStrict(verified.payload))
  } catch (error) {
    if (error instanceof Malformed || error instanceof z.ZodError)
      return { refused: 'The request has not the shape of one.' }
    throw error
  }
  const { by, place, at } = request
  if (verified.key.holder !== by) return { refused: `"${by}" is named, and the key is ${verified.key.holder}'s.` }
  if (request.environment !== environment) return { refused: `It is for environment "${request.environment}".` }
  if (Math.abs(now - at) > goodForMs)
    return { refused: `It was signed ${Math.round((now - at) / 1000)} s ago: sign a new one.` }
  if (!verified.key.may.includes(ability)) {
    return { refused: `${by} may not see payloads: only who may be "${ability}" (people, in interlock.yaml).` }
  }
  return { by, place }
}
