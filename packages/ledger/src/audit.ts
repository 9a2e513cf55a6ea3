import {
  type Command,
  contentHash,
  type DecisionOut,
  decodeOut,
  type Hash,
  type KeyEntry,
  type LeafOut,
  type LogTime,
  Malformed,
  UnknownSchema,
} from '@interlock/contracts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import type { LeafSource } from './leaf.ts'
import { append, emptyFrontier, type Frontier, leafHash, rootAt, rootOf } from './merkle.ts'

/** A record of the audit topic: a leaf as the fleet put it out, or a signed checkpoint. */
export interface AuditRecord {
  readonly kind: 'leaf' | 'checkpoint'
  readonly offset: bigint
  /** When it was appended to the topic. */
  readonly at: LogTime
  readonly value: Uint8Array
}

/** Something is wrong with the ledger: what, and where. */
export interface Finding {
  readonly what:
    | 'unreadable'
    | 'missing'
    | 'forked'
    | 'edited'
    | 'bad-checkpoint'
    | 'truncated'
    | 'unsigned'
    | 'decision-missing'
    | 'decision-differs'
    | 'decision-twice'
    | 'no-decision'
    | 'command-unfounded'
  /** Record of the audit topic, leaf and governor's entry that it is about; null where there is none to name. */
  readonly offset: bigint | null
  readonly index: number | null
  readonly source: string | null
  readonly detail: string
}

export interface AuditOptions {
  readonly origin: string
  /** Keyset; those of role `fleet` sign checkpoints. */
  readonly keys: readonly KeyEntry[]
  /** What is younger than `ledgerPatienceMs` then may still wait for its leaf or checkpoint. */
  readonly now: LogTime
  /** A checkpoint that was verified before: the ledger must have grown out of it. */
  readonly since?: Checkpoint
}

/** A decision waits at most so long for its leaf, and a leaf for its checkpoint, before that is an alarm. */
export const ledgerPatienceMs = 60_000

/** A checkpoint with the note that carries it. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: string
}

interface Known {
  readonly hash: Hash
  readonly offset: bigint
  readonly at: LogTime
  readonly decision: Hash
  readonly content: Hash
  readonly source: string
}

/**
 * Reads a ledger from its beginning and finds what was truncated, reordered, edited or forked (docs/reliability.md F29). Feed it
 * the audit topic in order (`take`), then, where they can be had, the governors' decisions (`compare`), then ask (`finish`).
 *
 * Records may repeat: publishers promise at least once. The first break of the tree ends the check of what lies behind it,
 * since every later root would differ for that one reason.
 */
export class Audit {
  readonly #options: AuditOptions
  readonly #findings: Finding[] = []
  readonly #leaves: Known[] = []
  readonly #byDecision = new Map<Hash, number>()
  readonly #compared = new Set<number>()
  /** Decisions that commands name and no leaf holds; each is told once. */
  readonly #unfounded = new Set<Hash>()
  #frontier: Frontier = emptyFrontier
  #signed: SignedCheckpoint | null = null
  #checkpoints = 0
  #isBroken = false

  constructor(options: AuditOptions) {
    this.#options = options
  }

  take(record: AuditRecord): void {
    if (this.#isBroken) return
    if (record.kind === 'checkpoint') this.#takeCheckpoint(record)
    else this.#takeLeaf(record)
  }

  #takeLeaf({ offset, at, value }: AuditRecord): void {
    const read = readLeaf(value)
    if (read === null) {
      this.#break('unreadable', offset, null, 'it is no leaf that this build can read')
      return
    }
    const { out, content, source } = read
    const { index, leaf, decision } = out
    const hash = leafHash(Buffer.from(leaf, 'utf8'))
    const known = this.#leaves[index]
    if (known !== undefined) {
      if (known.hash === hash) return
      this.#break('forked', offset, index, `leaf ${index} reads otherwise at offset ${known.offset}`, source)
      return
    }
    const expected = this.#leaves.length
    if (index !== expected) {
      this.#break('missing', offset, expected, `leaf ${expected} should stand here, and leaf ${index} does`)
      return
    }
    const twin = this.#byDecision.get(decision)
    if (twin !== undefined) this.#find('decision-twice', offset, index, `leaf ${twin} holds the same decision`, source)
    this.#byDecision.set(decision, index)
    this.#leaves.push({ hash, offset, at, decision, content, source })
    this.#frontier = append(this.#frontier, hash)
  }

  #takeCheckpoint({ offset, value }: AuditRecord): void {
    this.#checkpoints += 1
    const { origin, keys } = this.#options
    const note = Buffer.from(value).toString('utf8')
    const opened = openCheckpoint(note, origin, keys)
    if (!opened.ok) {
      this.#break('bad-checkpoint', offset, null, opened.reason)
      return
    }
    const { size, root } = opened.checkpoint
    const have = this.#frontier.size
    if (size > have) {
      this.#break('missing', offset, have, `the checkpoint counts ${size} leaves, and ${have} stand before it`)
      return
    }
    const own = size === have ? rootOf(this.#frontier) : rootAt(this.#hashes(), size)
    if (own !== root) {
      const from = Math.min(this.#signed?.size ?? 0, size)
      const span = size - from === 1 ? `leaf ${from}` : `one of the leaves ${from} to ${size - 1}`
      const source = size - from === 1 ? (this.#leaves[from]?.source ?? null) : null
      this.#break('edited', offset, from, `${span} is not what was signed at size ${size}`, source)
      return
    }
    if (size >= (this.#signed?.size ?? 0)) this.#signed = { ...opened.checkpoint, note }
  }

  /** A decision of a governor's log, with the place where it lies. Each must be in the ledger as it is. */
  compare(decision: DecisionOut, { shard, offset }: LeafSource): void {
    const source = `${shard}/${offset}`
    const index = this.#byDecision.get(decision.id)
    if (index === undefined) {
      if (this.#isBroken || this.#isYoung(decision.at)) return
      this.#find('decision-missing', null, null, `decision ${decision.id} (${decision.outcome}) has no leaf`, source)
      return
    }
    this.#compared.add(index)
    const leaf = this.#leaves[index] as Known
    if (leaf.content === contentHash(decision) && leaf.source === source) return
    const detail = `leaf ${index} says something else than the decision ${decision.id} in the governor's log`
    this.#find('decision-differs', leaf.offset, index, detail, source)
  }

  /** A command of a governor's log. It names the decision that asks for it, and that one must be in the ledger. */
  compareCommand({ because, deployment, order, issuedAt }: Command, { shard, offset }: LeafSource): void {
    if (this.#byDecision.has(because) || this.#unfounded.has(because) || this.#isBroken || this.#isYoung(issuedAt))
      return
    this.#unfounded.add(because)
    const detail = `command ${order.join('.')} of ${deployment} names decision ${because}, which has no leaf`
    this.#find('command-unfounded', null, null, detail, `${shard}/${offset}`)
  }

  /**
   * @param complete  the governors' logs were compared from their beginning on, so that a leaf without a decision is forged
   */
  finish({ complete = false }: { readonly complete?: boolean } = {}): AuditReport {
    const { since } = this.#options
    const size = this.#frontier.size
    if (since !== undefined && !this.#isBroken) {
      if (size < since.size) {
        this.#find('truncated', null, size, `it has ${size} leaves, and had ${since.size} when it was verified before`)
      } else if (rootAt(this.#hashes(), since.size) !== since.root) {
        this.#find('forked', null, null, `its first ${since.size} leaves are not those that were verified before`)
      }
    }
    const signed = this.#signed?.size ?? 0
    if (size > signed && !this.#isBroken && !this.#isYoung((this.#leaves[signed] as Known).at)) {
      const { offset, source } = this.#leaves[signed] as Known
      this.#find('unsigned', offset, signed, `no checkpoint stands behind leaf ${signed} and what follows`, source)
    }
    if (complete && !this.#isBroken) {
      for (const [index, { offset, source }] of this.#leaves.entries()) {
        if (this.#compared.has(index)) continue
        this.#find('no-decision', offset, index, `no governor made the decision of leaf ${index}`, source)
      }
    }
    return { findings: this.#findings, leaves: size, checkpoints: this.#checkpoints, newest: this.#signed }
  }

  #isYoung(at: LogTime): boolean {
    return this.#options.now - at <= ledgerPatienceMs
  }

  #hashes(): readonly Hash[] {
    return this.#leaves.map(({ hash }) => hash)
  }

  #break(what: Finding['what'], offset: bigint, index: number | null, detail: string, source?: string | null): void {
    this.#isBroken = true
    this.#find(what, offset, index, detail, source)
  }

  #find(
    what: Finding['what'],
    offset: bigint | null,
    index: number | null,
    detail: string,
    source: string | null = null,
  ): void {
    this.#findings.push({ what, offset, index, source, detail })
  }
}

export interface AuditReport {
  /** Empty exactly if the ledger is whole. */
  readonly findings: readonly Finding[]
  readonly leaves: number
  readonly checkpoints: number
  /** Newest checkpoint that was verified; keep it, and give it as `since` the next time. */
  readonly newest: SignedCheckpoint | null
}

function readLeaf(
  value: Uint8Array,
): { readonly out: LeafOut; readonly content: Hash; readonly source: string } | null {
  try {
    const out = decodeOut({ kind: 'leaf', key: '', value }) as LeafOut
    const leaf = JSON.parse(out.leaf) as Readonly<Record<string, unknown>>
    const { content, source, decision } = leaf
    if (typeof content !== 'string' || typeof source !== 'string' || decision !== out.decision) return null
    // What stands beside the leaf is for readers in a hurry; only the leaf is hashed, so it must say the same.
    if (leaf.deployment !== out.deployment || leaf.sequence !== out.sequence) return null
    return { out, content: content as Hash, source }
  } catch (error) {
    if (error instanceof Malformed || error instanceof UnknownSchema || error instanceof SyntaxError) return null
    if (error instanceof TypeError) return null // JSON of something else than an object
    throw error
  }
}
