import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Hash, Order } from '@interlock/contracts'

/** What the router is told to do. The whole of it is replaced at once. */
export type RouterState = {
  /** Copied into each event. */
  readonly generation: number
  readonly stable: Hash
  readonly candidate: Hash | null
  /** The candidate's share of units, 0 to 1. */
  readonly share: number
  /** The candidate also scores a sample of the stable's requests; its answers are not used. */
  readonly shadow: boolean
  /** No model answers: the declared rule does. */
  readonly fallback: boolean
  /** Order of the command behind it, so that no agent that is cut off goes below it. */
  readonly order?: Order
}

/** What became of a wish to change the state. */
export type Change =
  | { readonly kind: 'applied'; readonly etag: string; readonly state: RouterState }
  | { readonly kind: 'conflict'; readonly etag: string; readonly state: RouterState }
  | { readonly kind: 'unknown-digest'; readonly digest: string }
  | { readonly kind: 'malformed'; readonly reason: string }

type Stored = { readonly revision: number; readonly state: RouterState }

/**
 * The router's state: compare-and-set, and on disk (fsync of file and folder) before it is in force, so that a router
 * that comes back does what it was last told. One router process owns the file.
 */
export class StateStore {
  readonly #path: string
  readonly #known: ReadonlySet<string>
  #stored: Stored

  /**
   * @param path of the state file; if there is none, `initial` is written
   * @param known digests that may be served
   */
  constructor(path: string, initial: RouterState, known: ReadonlySet<string>) {
    this.#path = path
    this.#known = known
    const found = readStored(path)
    this.#stored = found ?? { revision: 1, state: initial }
    for (const digest of [this.#stored.state.stable, this.#stored.state.candidate]) {
      if (digest !== null && !known.has(digest)) {
        throw new Error(
          `router: ${path} wants ${digest}, which is not loaded\n` +
            '  The folder of artifacts does not hold it or its bytes do not match its manifest.\n' +
            '  Put the artifact back, or remove the state file to start from the first version.',
        )
      }
    }
    if (found === undefined) writeStored(path, this.#stored)
  }

  /** The state in force. */
  get state(): RouterState {
    return this.#stored.state
  }

  /** Names this very write of the state: it changes with each write, also when an earlier state returns. */
  get etag(): string {
    const digest = createHash('sha256').update(JSON.stringify(this.#stored)).digest('hex').slice(0, 16)
    return `"${this.#stored.revision}-${digest}"`
  }

  /** Replaces the state if `ifMatch` is the etag in force. Returns once it is on disk. Synchronous, so nothing comes between. */
  replace(ifMatch: string, wish: unknown): Change {
    if (ifMatch !== this.etag) return { kind: 'conflict', etag: this.etag, state: this.state }
    const parsed = parseState(wish)
    if ('reason' in parsed) return { kind: 'malformed', reason: parsed.reason }
    for (const digest of [parsed.state.stable, parsed.state.candidate]) {
      if (digest !== null && !this.#known.has(digest)) return { kind: 'unknown-digest', digest }
    }
    const next = { revision: this.#stored.revision + 1, state: parsed.state }
    writeStored(this.#path, next)
    this.#stored = next
    return { kind: 'applied', etag: this.etag, state: this.state }
  }
}

/** Checks a wished state word by word; says what is wrong with the first thing that is. */
function parseState(wish: unknown): { readonly state: RouterState } | { readonly reason: string } {
  if (typeof wish !== 'object' || wish === null) return { reason: 'the body is no JSON object' }
  const { generation, stable, candidate, share, shadow, fallback, order = null } = wish as Record<string, unknown>
  if (typeof generation !== 'number' || !Number.isInteger(generation) || generation < 0) {
    return { reason: 'generation must be a whole number from 0' }
  }
  if (!isDigest(stable)) return { reason: 'stable must be a digest of 64 hex digits' }
  if (candidate !== null && !isDigest(candidate))
    return { reason: 'candidate must be a digest of 64 hex digits, or null' }
  if (candidate === stable) return { reason: 'candidate is the stable version; to promote it, send candidate null' }
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) return { reason: 'share must be a number from 0 to 1' }
  if (typeof shadow !== 'boolean') return { reason: 'shadow must be true or false' }
  if (typeof fallback !== 'boolean') return { reason: 'fallback must be true or false' }
  if (candidate === null && (share > 0 || shadow)) return { reason: 'share above 0 and shadow need a candidate' }
  if (order !== null && !isOrder(order)) return { reason: 'order must be four whole numbers, or left out' }
  return { state: { generation, stable, candidate, share, shadow, fallback, ...(order === null ? {} : { order }) } }
}

function isOrder(value: unknown): value is Order {
  return Array.isArray(value) && value.length === 4 && value.every((part) => Number.isSafeInteger(part) && part >= 0)
}

function isDigest(value: unknown): value is Hash {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function readStored(path: string): Stored | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const stored = JSON.parse(text) as Stored
  const parsed = parseState(stored.state)
  if ('reason' in parsed || !Number.isInteger(stored.revision)) {
    throw new Error(
      `router: ${path} is no state of a router: ${'reason' in parsed ? parsed.reason : 'it has no revision'}\n` +
        '  It is written whole and never half. Find out who else wrote it before you remove it.',
    )
  }
  return { revision: stored.revision, state: parsed.state }
}

function writeStored(path: string, stored: Stored): void {
  const draft = `${path}.new`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeSync(file, `${JSON.stringify(stored)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
