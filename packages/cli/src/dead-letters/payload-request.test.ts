import { generateKeyPairSync } from 'node:crypto'
import { type KeyEntry, keyIdOf, signerOf } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { readPayloadRequest, signPayloadRequest } from './payload-request.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const spki = publicKey.export({ type: 'spki', format: 'der' })
const signer = signerOf(privateKey)
const key: KeyEntry = {
  ...{ keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles: ['person'], holder: 'ann' },
  may: ['on-call'],
}
const now = 1_000_000
const wish = { v: 1, environment: 'prod', by: 'ann', at: now, place: 'predictions/0/7' } as const

const read = (
  changes: Partial<typeof wish | { by: string; environment: string; at: number }>,
  keys = [key],
  at = now,
) => readPayloadRequest(signPayloadRequest({ ...wish, ...changes } as typeof wish, signer), keys, 'prod', at)

test('whoever may be on call and signs for it now is told which payload they asked for', () => {
  expect(read({})).toEqual({ by: 'ann', place: 'predictions/0/7' })
})

test('nobody else: without the ability, in another’s name, for another environment, by an old or unknown signature', () => {
  const refused = [
    read({}, [{ ...key, may: ['deployer', 'policy-author'] }]),
    read({ by: 'bob' }),
    read({ environment: 'test' }),
    read({}, [key], now + 60_001),
    read({ at: now + 60_001 }),
    read({}, []),
    read({}, [{ ...key, roles: ['agent'] }]),
    readPayloadRequest(Buffer.from('{}'), [key], 'prod', now),
  ]
  for (const answer of refused) expect(answer).toHaveProperty('refused')
})
