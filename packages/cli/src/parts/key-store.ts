import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type KeyEntry, type KeyRole, keyIdOf, type Signer, signerOf } from '@interlock/contracts'
import { UsageError } from '../errors.ts'

/** A key pair that lies on this machine. The private key never leaves the process that read it. */
export interface LocalKey {
  readonly holder: string
  readonly signer: Signer
  readonly entry: KeyEntry
}

/**
 * Reads the Ed25519 key `<folder>/<name>.pem`, or makes it (mode 0600, folder 0700).
 *
 * @param holder identity of whoever holds the key: a person, an agent, a service
 */
export async function localKey(
  folder: string,
  holder: string,
  roles: readonly KeyRole[],
  may: readonly string[] = [],
): Promise<LocalKey> {
  const there = await localKeyOrNone(folder, holder, roles, may)
  if (there !== null) return there
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const path = join(folder, `${holder}.pem`)
  await writeFile(path, pem, { mode: 0o600, flag: 'wx', flush: true })
  return keyFrom(path, pem, holder, roles, may)
}

/** Reads the key `<folder>/<name>.pem`. @throws UsageError when it is not there */
export async function readLocalKey(
  folder: string,
  holder: string,
  roles: readonly KeyRole[],
  may: readonly string[],
): Promise<LocalKey> {
  const key = await localKeyOrNone(folder, holder, roles, may)
  if (key !== null) return key
  throw new UsageError(
    `${join(folder, `${holder}.pem`)}: is not there, and ${holder} signs with it. Make all keys once with \`interlock keys make\`, and copy this one to this machine.`,
  )
}

/** The key `<folder>/<name>.pem`, or null where it is not there. */
export async function localKeyOrNone(
  folder: string,
  holder: string,
  roles: readonly KeyRole[],
  may: readonly string[],
): Promise<LocalKey | null> {
  const path = join(folder, `${holder}.pem`)
  try {
    return keyFrom(path, await readFile(path, 'utf8'), holder, roles, may)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function keyFrom(path: string, pem: string, holder: string, roles: readonly KeyRole[], may: readonly string[]) {
  const privateKey = createPrivateKey(pem)
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new Error(
      `${path} holds a ${privateKey.asymmetricKeyType} key; Interlock signs with Ed25519 only. Move it away to have a new one made.`,
    )
  }
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    holder,
    signer: signerOf(privateKey),
    entry: { keyId: keyIdOf(publicKey), publicKey: publicKey.toString('base64'), roles, holder, may },
  }
}
