import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/**
 * C2SP signed notes (c2sp.org/signed-note), as Go's checksum database writes them:
 *
 *   text, ends in a newline
 *   an empty line
 *   — <name> <base64(4 bytes of the key's id ‖ Ed25519 signature of the text)>
 */

/** Who signs: a name without spaces and plus signs, and an Ed25519 public key as SPKI bytes (DER). */
export interface NoteKey {
  readonly name: string
  readonly spki: Uint8Array
}

/** Algorithm byte of Ed25519 in a key's id. */
const ed25519 = 1
/** An Ed25519 SPKI is 12 bytes of header, then the 32 bytes of the key. */
const spkiHeader = Buffer.from('302a300506032b6570032100', 'hex')
const signatureBytes = 64
/** Signatures in one note; witnesses add theirs. */
const mostSignatures = 16

/** First 4 bytes of SHA-256(name ‖ newline ‖ algorithm ‖ public key). */
export function noteKeyId({ name, spki }: NoteKey): Buffer {
  return createHash('sha256')
    .update(`${name}\n`, 'utf8')
    .update(Uint8Array.of(ed25519))
    .update(rawKey(spki))
    .digest()
    .subarray(0, 4)
}

/** `<name>+<id>+<base64>`: what a verifier of C2SP notes (such as a witness) is given. */
export function verifierKey(key: NoteKey): string {
  const typed = Buffer.concat([Uint8Array.of(ed25519), rawKey(key.spki)])
  return `${key.name}+${noteKeyId(key).toString('hex')}+${typed.toString('base64')}`
}

/** @throws TypeError when the text or the name has no place in a note. */
export function signNote(text: string, name: string, privateKey: KeyObject): string {
  if (!text.endsWith('\n') || /\n\n/.test(text)) throw new TypeError('the text of a note ends in one newline')
  if (!isName(name)) throw new TypeError(`"${name}" cannot sign a note: no spaces, no plus sign`)
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const signature = sign(null, Buffer.from(text, 'utf8'), privateKey)
  return `${text}\n— ${name} ${Buffer.concat([noteKeyId({ name, spki }), signature]).toString('base64')}\n`
}

export type OpenedNote =
  | { readonly ok: true; readonly text: string; readonly key: NoteKey }
  | { readonly ok: false; readonly reason: string }

/**
 * The text of a note that one of the keys signed. Signatures by others are passed over; one under a known name and id that
 * does not fit refuses the note.
 */
export function openNote(note: string, keys: readonly NoteKey[]): OpenedNote {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return { ok: false, reason: 'it is no signed note' }
  const text = note.slice(0, end + 1)
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > mostSignatures) return { ok: false, reason: `it has more than ${mostSignatures} signatures` }
  let signer: NoteKey | null = null
  for (const line of lines) {
    const [, name, encoded] = /^— (\S+) (\S+)$/.exec(line) ?? []
    if (name === undefined || encoded === undefined) return { ok: false, reason: 'a line is no signature' }
    const bytes = Buffer.from(encoded, 'base64')
    if (bytes.toString('base64') !== encoded || bytes.length <= 4)
      return { ok: false, reason: 'a signature is no base64' }
    const key = keys.find((one) => one.name === name && noteKeyId(one).equals(bytes.subarray(0, 4)))
    if (key === undefined) continue
    const signature = bytes.subarray(4)
    const publicKey = createPublicKey({ key: Buffer.from(key.spki), format: 'der', type: 'spki' })
    if (signature.length !== signatureBytes || !verify(null, Buffer.from(text, 'utf8'), publicKey, signature)) {
      return { ok: false, reason: `the signature of ${name} does not fit` }
    }
    signer = key
  }
  return signer === null ? { ok: false, reason: 'no key in force signed it' } : { ok: true, text, key: signer }
}

function isName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name)
}

function rawKey(spki: Uint8Array): Uint8Array {
  const bytes = Buffer.from(spki)
  if (bytes.length !== spkiHeader.length + 32 || !bytes.subarray(0, spkiHeader.length).equals(spkiHeader)) {
    throw new TypeError('a note is signed with an Ed25519 key')
  }
  return bytes.subarray(spkiHeader.length)
}
