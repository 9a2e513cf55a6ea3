import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contentHash, type KeysetDocument } from '@interlock/contracts'
import type { Config } from '../config.ts'
import { type LocalKey, localKey } from './key-store.ts'

/** Every key of an embedded Interlock. They lie in `<data>/keys`, each readable by its owner alone. */
export interface EmbeddedKeys {
  readonly root: LocalKey
  readonly governor: LocalKey
  readonly agent: LocalKey
  readonly notifier: LocalKey
  readonly people: ReadonlyMap<string, LocalKey>
  readonly keyset: KeysetDocument
}

/** Name under which the root key's requests run (services/governor). */
const rootHolder = 'root'
export const notifierHolder = 'notifier'

export function agentHolder(config: Config): string {
  return `agent-${config.environment}`
}

/** Reads or makes all keys, and the keyset that names them; its version rises whenever its content changed. */
export async function embeddedKeys(config: Config): Promise<EmbeddedKeys> {
  const folder = join(config.data, 'keys')
  const root = await localKey(folder, rootHolder, ['person'], ['key-custodian'])
  const governor = await localKey(folder, 'governor', ['governor'])
  const agent = await localKey(folder, agentHolder(config), ['agent'])
  const notifier = await localKey(folder, notifierHolder, ['notifier'])
  const people = new Map<string, LocalKey>()
  for (const { id, may } of config.people) people.set(id, await localKey(folder, id, ['person'], may))
  const keys = [governor, agent, notifier, ...people.values()].map(({ entry }) => entry)
  return { root, governor, agent, notifier, people, keyset: await versioned(join(folder, 'keyset.json'), keys) }
}

async function versioned(path: string, keys: KeysetDocument['keys']): Promise<KeysetDocument> {
  const before = await readKeyset(path)
  if (before !== null && contentHash(before.keys) === contentHash(keys)) return before
  const keyset: KeysetDocument = { kind: 'keyset', version: (before?.version ?? 0) + 1, keys }
  await writeFile(`${path}.new`, JSON.stringify(keyset, null, 2), { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
  return keyset
}

async function readKeyset(path: string): Promise<KeysetDocument | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as KeysetDocument
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
