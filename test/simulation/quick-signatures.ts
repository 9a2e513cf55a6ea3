import crypto, { type KeyObject } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Ed25519 is most of what a simulated world pays for, and asks again and again about the same bytes: each owner that executes an
 * entry again verifies what was verified before. Signing and verifying are pure, so in a simulated process an answer stands for
 * the same question, compared byte by byte. Production code knows nothing of it.
 */
const mostAnswers = 5_000

interface Answer {
  readonly data: Buffer
  readonly ok: boolean
}

const names = new WeakMap<KeyObject, string>()
const verified = new Map<string, Answer>()
const signed = new Map<string, Buffer>()
const { sign, verify } = crypto

crypto.verify = ((algorithm: null, data: Buffer, key: KeyObject, signature: Buffer): boolean => {
  const name = `${nameOf(key)} ${signature.toString('latin1')}`
  const known = verified.get(name)
  if (known?.data.equals(data)) return known.ok
  const ok = verify(algorithm, data, key, signature)
  remember(verified, name, { data: Buffer.from(data), ok })
  return ok
}) as typeof verify

crypto.sign = ((algorithm: null, data: Buffer, key: KeyObject): Buffer => {
  const name = `${nameOf(key)} ${Buffer.from(data).toString('latin1')}`
  const known = signed.get(name)
  if (known !== undefined) return known
  const signature = sign(algorithm, data, key)
  remember(signed, name, signature)
  return signature
}) as typeof sign

syncBuiltinESMExports()

function remember<Value>(answers: Map<string, Value>, name: string, value: Value): void {
  if (answers.size >= mostAnswers) answers.clear()
  answers.set(name, value)
}

/** A key by its public bytes: the same key is imported anew with each keyset. */
function nameOf(key: KeyObject): string {
  const known = names.get(key)
  if (known !== undefined) return known
  const publicKey = key.type === 'private' ? crypto.createPublicKey(key) : key
  const name = publicKey.export({ type: 'spki', format: 'der' }).toString('latin1')
  names.set(key, name)
  return name
}
