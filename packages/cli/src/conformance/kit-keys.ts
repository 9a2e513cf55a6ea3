import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type KeyEntry, type KeyRole, type KeysetDocument, keyIdOf, type Signer, signerOf } from '@interlock/contracts'

/** A key pair of the kit. */
export interface KitKey {
  readonly signer: Signer
  readonly entry: KeyEntry
  readonly privateKey: KeyObject
  readonly file: string
}

/** Every key that a run needs; only `agent` is given to the agent under test. */
export interface KitKeys {
  readonly governor: KitKey
  /** A second governor key, for rotation. */
  readonly successor: KitKey
  readonly agent: KitKey
  readonly person: KitKey
  /** In no keyset. */
  readonly stranger: KitKey
  readonly keysetFile: string
  /** Replaces the keyset file by one of the next version that holds these governor keys. */
  writeKeyset(governors: readonly KitKey[]): Promise<void>
  /** Puts an older keyset back, with every key that was ever in force. */
  putBack(): Promise<void>
}

/** Reads the kit's keys from the folder, or makes them there (folder 0700, files 0600). */
export async function kitKeys(folder: string, agent: string): Promise<KitKeys> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const governor = await kitKey(folder, 'governor', 'governor')
  const successor = await kitKey(folder, 'governor-2', 'governor')
  const own = await kitKey(folder, agent, 'agent')
  const person = await kitKey(folder, 'person', 'person')
  const stranger = await kitKey(folder, 'stranger', 'governor')
  const keysetFile = join(folder, 'keyset.json')
  const versionBefore = await readFile(keysetFile, 'utf8').then(
    (text) => (JSON.parse(text) as KeysetDocument).version,
    () => 0,
  )
  let version = versionBefore
  const write = async (keyset: KeysetDocument): Promise<void> => {
    await writeFile(`${keysetFile}.new`, JSON.stringify(keyset, null, 2), { mode: 0o600 })
    await rename(`${keysetFile}.new`, keysetFile)
  }
  const writeKeyset = (governors: readonly KitKey[]): Promise<void> => {
    version++
    const keys = [...governors, own, person].map(({ entry }) => entry)
    return write({ kind: 'keyset', version, keys })
  }
  await writeKeyset([governor])
  return {
    governor,
    successor,
    agent: own,
    person,
    stranger,
    keysetFile,
    writeKeyset,
    putBack: () =>
      write({
        kind: 'keyset',
        version: Math.max(0, version - 1),
        keys: [governor, successor, own, person].map(({ entry }) => entry),
      }),
  }
}

async function kitKey(folder: string, holder: string, role: KeyRole): Promise<KitKey> {
  const file = join(folder, `${holder}.pem`)
  let pem: string
  try {
    pem = await readFile(file, 'utf8')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    await writeFile(file, pem, { mode: 0o600, flag: 'wx' })
  }
  const privateKey = createPrivateKey(pem)
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const entry = { keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles: [role], holder, may: [] }
  return { signer: signerOf(privateKey), entry, privateKey, file }
}
