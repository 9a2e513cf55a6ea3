import type { KeyObject } from 'node:crypto'
import type { Hash, KeyEntry } from '@interlock/contracts'
import { type NoteKey, openNote, signNote } from './signed-note.ts'

/** Size and root of the ledger at one moment (c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  /** Name of the ledger; `originOf` of its environment. */
  readonly origin: string
  readonly size: number
  readonly root: Hash
}

/** Name of an environment's ledger. What a note cannot carry is percent-encoded. */
export function originOf(environment: string): string {
  return `interlock/${encodeURIComponent(environment)}/audit`
}

/** Three lines: origin, size in decimal, root in base64. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\n`
}

/** The checkpoint as it is published: a note that the fleet's key signed under the ledger's name. */
export function signCheckpoint(checkpoint: Checkpoint, privateKey: KeyObject): string {
  return signNote(checkpointText(checkpoint), checkpoint.origin, privateKey)
}

export type OpenedCheckpoint =
  | { readonly ok: true; readonly checkpoint: Checkpoint }
  | { readonly ok: false; readonly reason: string }

/** A checkpoint of this ledger that a key of role `fleet` signed, or why not. */
export function openCheckpoint(note: string, origin: string, keys: readonly KeyEntry[]): OpenedCheckpoint {
  const opened = openNote(note, fleetKeys(origin, keys))
  if (!opened.ok) return opened
  const [, name, size, root, rest] = /^([^\n]+)\n(0|[1-9][0-9]*)\n([^\n]+)\n((?:[^\n]+\n)*)$/.exec(opened.text) ?? []
  if (name === undefined || size === undefined || root === undefined)
    return { ok: false, reason: 'it is no checkpoint' }
  if (name !== origin) return { ok: false, reason: `it is of the ledger "${name}"` }
  if (rest !== '') return { ok: false, reason: 'it says more than a checkpoint of ours does' }
  const bytes = Buffer.from(root, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== root) return { ok: false, reason: 'its root is no hash' }
  if (!Number.isSafeInteger(Number(size))) return { ok: false, reason: 'its size is beyond every ledger' }
  return { ok: true, checkpoint: { origin, size: Number(size), root: bytes.toString('hex') as Hash } }
}

/** Note keys of the role `fleet`. */
export function fleetKeys(origin: string, keys: readonly KeyEntry[]): readonly NoteKey[] {
  return keys
    .filter(({ roles }) => roles.includes('fleet'))
    .map(({ publicKey }) => ({ name: origin, spki: Buffer.from(publicKey, 'base64') }))
}
