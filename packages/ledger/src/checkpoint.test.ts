import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { type KeyEntry, keyIdOf, sha256 } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { checkpointText, openCheckpoint, originOf, signCheckpoint } from './checkpoint.ts'
import { openNote, signNote, verifierKey } from './signed-note.ts'

function ed25519(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' })

function entry(key: KeyObject, roles: KeyEntry['roles']): KeyEntry {
  const spki = spkiOf(key)
  return { keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles, holder: 'fleet', may: [] }
}

test('the example of golang.org/x/mod/sumdb/note comes out byte for byte', () => {
  const key = ed25519(Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1))
  const spki = spkiOf(key)
  const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
  expect(verifierKey({ name: 'PeterNeumann', spki })).toBe(
    'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  )
  const note = signNote(text, 'PeterNeumann', key)
  expect(note).toBe(
    `${text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`,
  )
  expect(openNote(note, [{ name: 'PeterNeumann', spki }])).toMatchObject({ ok: true, text })
})

const fleet = ed25519(Buffer.from(sha256('fleet'), 'hex'))
const other = ed25519(Buffer.from(sha256('other'), 'hex'))
const origin = originOf('prod')
const checkpoint = { origin, size: 3, root: sha256('root') }
const note = signCheckpoint(checkpoint, fleet)
const keys = [entry(fleet, ['fleet'])]

test('a checkpoint has the three lines of C2SP, and is opened by the fleet’s key', () => {
  expect(checkpointText(checkpoint).split('\n')).toEqual([
    'interlock/prod/audit',
    '3',
    Buffer.from(checkpoint.root, 'hex').toString('base64'),
    '',
  ])
  expect(openCheckpoint(note, origin, keys)).toEqual({ ok: true, checkpoint })
})

test('a checkpoint by another key, another role, of another ledger or with a changed byte is refused with the reason', () => {
  const reason = (text: string, of = origin, with_ = keys): string => {
    const opened = openCheckpoint(text, of, with_)
    return opened.ok ? 'opened' : opened.reason
  }
  expect(reason(signCheckpoint(checkpoint, other))).toBe('no key in force signed it')
  expect(reason(note, origin, [entry(fleet, ['governor'])])).toBe('no key in force signed it')
  expect(reason(note, originOf('staging'))).toBe('no key in force signed it')
  expect(reason(note.replace('\n3\n', '\n4\n'))).toBe('the signature of interlock/prod/audit does not fit')
  expect(reason(signNote('something else\n', origin, fleet))).toBe('it is no checkpoint')
  expect(reason(signNote(`${checkpointText(checkpoint)}more\n`, origin, fleet))).toContain('more than a checkpoint')
  expect(reason(signNote(checkpointText({ ...checkpoint, origin: 'x' }), origin, fleet))).toContain('of the ledger "x"')
  expect(reason('')).toBe('it is no signed note')
  for (let at = 0; at < note.length; at++) {
    const mutant = `${note.slice(0, at)}${note[at] === 'A' ? 'B' : 'A'}${note.slice(at + 1)}`
    expect(reason(mutant), `character ${at}`).not.toBe('opened')
  }
})

test('signatures of others, such as witnesses, stand beside ours; one of ours that does not fit refuses the note', () => {
  const cosigned = `${note}— witness.example ${Buffer.alloc(76, 1).toString('base64')}\n`
  expect(openCheckpoint(cosigned, origin, keys).ok).toBe(true)
  const spoiled = note.trimEnd().split('\n').at(-1)!.replace(/.{6}$/, 'AAAAA=')
  expect(openCheckpoint(`${note}${spoiled}\n`, origin, keys).ok).toBe(false)
})

test('a text that would end a note early, and a name that is none, cannot be signed', () => {
  expect(() => signNote('no newline', 'x', fleet)).toThrow(TypeError)
  expect(() => signNote('a\n\nb\n', 'x', fleet)).toThrow(TypeError)
  expect(() => signNote('a\n', 'two words', fleet)).toThrow('cannot sign')
  expect(originOf('a b+c')).toBe('interlock/a%20b%2Bc/audit')
})
