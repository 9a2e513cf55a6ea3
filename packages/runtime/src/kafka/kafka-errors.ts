/**
 * What to do about an error of the client or a broker:
 * `moved`: another broker leads, or soon will: look again; `broken`: the connection cannot be trusted: make a new client;
 * `later`: the same broker may do it in a moment; `refused`: it never will.
 */
export type Verdict = 'moved' | 'broken' | 'later' | 'refused'

const moved: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'REPLICA_NOT_AVAILABLE',
  'BROKER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
])

interface ClientError {
  readonly name: string
  readonly message: string
  readonly type?: string
  readonly retriable?: boolean
  readonly cause?: unknown
}

/** Through KafkaJS's wrappers to the error that says something. */
export function innermost(error: unknown): ClientError {
  let inner = error as ClientError
  for (let depth = 0; depth < 8 && inner.type === undefined && inner.cause instanceof Error; depth++) {
    inner = inner.cause as unknown as ClientError
  }
  return inner
}

/** The protocol's name of a broker's answer, e.g. `OFFSET_OUT_OF_RANGE`; undefined where no broker answered. */
export function brokerCode(error: unknown): string | undefined {
  return innermost(error).type
}

export function verdictOf(error: unknown): Verdict {
  const { type, name, retriable } = innermost(error)
  if (type !== undefined) {
    if (moved.has(type)) return 'moved'
    if (type === 'ILLEGAL_SASL_STATE') return 'broken'
    return retriable ? 'later' : 'refused'
  }
  if (name === 'KafkaJSSASLAuthenticationError') return 'refused'
  // Bugs of ours and of the client surface as they are; a client that fails in any other way is replaced.
  return name === 'TypeError' || name === 'RangeError' || name === 'ReferenceError' ? 'refused' : 'broken'
}
