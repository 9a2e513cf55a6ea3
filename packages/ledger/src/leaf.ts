import { canonicalJson, contentHash, type DecisionOut, type Hash } from '@interlock/contracts'

/** Where a decision lies: a governor's shard and the offset of the valid entry that holds it. */
export interface LeafSource {
  readonly shard: number
  readonly offset: bigint
}

/**
 * What the ledger keeps of a decision: who did what to which object, over which state, when, and by which request. Hashes and
 * ids only, so that it can be kept for years; `content` is the hash of the whole decision, its words and evidence included.
 */
export interface Leaf {
  readonly v: 1
  readonly environment: string
  readonly deployment: string
  readonly generation: number
  readonly sequence: number
  /** Id of the decision, and the hash of all that it says. */
  readonly decision: Hash
  readonly content: Hash
  readonly actor: string
  readonly action: string
  readonly rule: string
  /** Document that was acted on, and the request that asked; null where there is none. */
  readonly object: Hash | null
  readonly request: string | null
  readonly policy: string
  readonly evidence: Hash | null
  /** Hashes of the deployment's state before and after. */
  readonly before: Hash
  readonly after: Hash
  readonly at: number
  /** `<shard>/<offset>` in the governor's log. */
  readonly source: string
}

export function leafOf(decision: DecisionOut, { shard, offset }: LeafSource): Leaf {
  return {
    v: 1,
    environment: decision.environment,
    deployment: decision.deployment,
    generation: decision.generation,
    sequence: decision.sequence,
    decision: decision.id,
    content: contentHash(decision),
    actor: decision.by,
    action: decision.outcome,
    rule: decision.rule,
    object: decision.object ?? null,
    request: decision.request ?? null,
    policy: decision.policy,
    evidence: decision.evidence,
    before: contentHash(decision.before),
    after: contentHash(decision.after),
    at: decision.at,
    source: `${shard}/${offset}`,
  }
}

/** Canonical text of a leaf; the ledger hashes its UTF-8 bytes. */
export function leafText(leaf: Leaf): string {
  return canonicalJson(leaf)
}
