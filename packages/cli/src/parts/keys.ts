import { createPublicKey } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  contentHash,
  type KeyEntry,
  type KeysetDocument,
  keyIdOf,
  type PersonId,
  probeDeployment,
  signRequest,
  verifyRequest,
} from '@interlock/contracts'
import { rootHolder } from '@interlock/governor'
import { probeAgent, probePeople } from '@interlock/probe'
import type { Config } from '../config.ts'
import { UsageError } from '../errors.ts'
import { type LocalKey, localKey, localKeyOrNone, readLocalKey } from './key-store.ts'

/** Every key of an embedded Interlock. They lie in one folder, each readable by its owner alone. */
export interface EmbeddedKeys extends PublicKeys {
  readonly root: LocalKey
  readonly governor: LocalKey
  readonly fleet: LocalKey
  readonly agent: LocalKey
  readonly notifier: LocalKey
  readonly people: ReadonlyMap<string, LocalKey>
  /** Of the process itself, and of the probe, where the configuration has them. */
  readonly liveness: ReadonlyMap<string, LocalKey>
}

/** What everybody may know. */
export interface PublicKeys {
  /** Public root key, SPKI DER in base64. */
  readonly rootKey: string
  readonly keyset: KeysetDocument
  /** The keyset as a request that the root key signed. */
  readonly envelope: Uint8Array
}

export const notifierHolder = 'notifier'
/** Signs the ledger. */
export const fleetHolder = 'fleet'

export function agentHolder(config: Pick<Config, 'environment'>): string {
  return `agent-${config.environment}`
}

export const rootKeyFile = 'root.pub.pem'
export const keysetFile = 'keyset.dsse.json'

type Holder = Pick<KeyEntry, 'holder' | 'roles' | 'may' | 'only'>

/** Component of a process that runs everything. */
export const embeddedHolder = 'up'

/** Holder of the key by which a service signs its heartbeats: its own key, where it has one for something else. */
export function componentHolder(config: Config, service: string): string {
  return service === 'agent' ? agentHolder(config) : service
}

/** Keys that nobody needs but for the dead-man's switch. */
function livenessHolders(config: Config): readonly Holder[] {
  const { deployer, approver } = probePeople
  const only = [probeDeployment]
  const ofProbe: readonly Holder[] = [
    { holder: probeAgent, roles: ['agent'], may: [] },
    ...[deployer, approver].map(({ id, may }) => ({ holder: id, roles: ['person' as const], may, only })),
  ]
  const services = config.kafka === undefined ? [embeddedHolder] : ['profiler', 'evaluator', 'console', 'probe']
  const beating = config.watchers.length === 0 ? [] : [...services, ...config.watchers.map(({ name }) => name)]
  return [
    ...(config.probe ? ofProbe : []),
    ...beating
      .filter((holder) => config.probe || holder !== 'probe')
      .map((holder) => ({ holder, roles: ['service' as const], may: [] })),
  ]
}

/** Who holds which key, in the order in which the keyset names them. */
function holders(config: Config): readonly Holder[] {
  const all: readonly Holder[] = [
    { holder: 'governor', roles: ['governor'], may: [] },
    { holder: fleetHolder, roles: ['fleet'], may: [] },
    { holder: agentHolder(config), roles: ['agent'], may: [] },
    { holder: notifierHolder, roles: ['notifier'], may: [] },
    ...config.people.map(({ id, may }) => ({ holder: id, roles: ['person' as const], may })),
    ...livenessHolders(config),
  ]
  const twice = all.find(({ holder }, index) => all.findIndex((one) => one.holder === holder) !== index)
  if (twice === undefined) return all
  throw new UsageError(
    `${config.file ?? 'interlock.yaml'}: "${twice.holder}" is named twice. A person or a watcher needs a name that no service of Interlock has.`,
  )
}

/** Reads or makes all keys, and the keyset that names them; its version rises whenever its content changed. */
export async function embeddedKeys(config: Config): Promise<EmbeddedKeys> {
  const root = await rootOf(config)
  const own = new Map<string, LocalKey>()
  for (const one of holders(config)) {
    const { entry, ...key } = await localKey(config.keys, one.holder, one.roles, one.may)
    own.set(one.holder, { ...key, entry: bound(entry, one) })
  }
  const keys = [...own.values()].map(({ entry }) => entry)
  const [governor, fleet, agent, notifier] = ['governor', fleetHolder, agentHolder(config), notifierHolder].map(
    (holder) => own.get(holder)!,
  ) as [LocalKey, LocalKey, LocalKey, LocalKey]
  const people = new Map(config.people.map(({ id }) => [id, own.get(id)!]))
  const liveness = new Map(livenessHolders(config).map(({ holder }) => [holder, own.get(holder)!]))
  const expires = (await readKeyset(config))?.keyset.expires
  const known = await published(config, root, keys, expires)
  return { root, governor, fleet, agent, notifier, people, liveness, ...known }
}

/** The entry with the deployments that the key is bound to, if it is. */
function bound(entry: KeyEntry, { only }: Holder): KeyEntry {
  return only === undefined ? entry : { ...entry, only }
}

export interface MadeKeys extends PublicKeys {
  readonly made: readonly string[]
  /** Holders whose private key lies elsewhere; the keyset goes on naming their public keys. */
  readonly elsewhere: readonly string[]
}

/**
 * `interlock keys make`: makes what is missing, once, where the root key lies. A private key that was moved to its service
 * is not made anew.
 *
 * @param expires when the keyset runs out, ms since 1970; as it was before unless told
 */
export async function makeKeys(config: Config, expires?: number): Promise<MadeKeys> {
  const before = await readKeyset(config)
  if (before !== null && (await localKeyOrNone(config.keys, rootHolder, [], [])) === null) {
    throw new UsageError(
      `${config.keys}: holds a keyset and no root key (${rootHolder}.pem). Run this where the root key lies: only it can sign a keyset.`,
    )
  }
  const root = await rootOf(config)
  const made: string[] = before === null ? [rootHolder] : []
  const elsewhere: string[] = []
  const keys: KeyEntry[] = []
  for (const one of holders(config)) {
    const { holder, roles, may } = one
    const known = before?.keyset.keys.find((key) => key.holder === holder)
    const here = await localKeyOrNone(config.keys, holder, roles, may)
    if (here === null && known !== undefined) {
      elsewhere.push(holder)
      keys.push(bound({ ...known, roles, may }, one))
      continue
    }
    if (here === null) made.push(holder)
    keys.push(bound((here ?? (await localKey(config.keys, holder, roles, may))).entry, one))
  }
  return { made, elsewhere, ...(await published(config, root, keys, expires ?? before?.keyset.expires)) }
}

/** The only private key that a service reads: its own. @throws UsageError when it is not there */
export function ownKey(config: Config, holder: string): Promise<LocalKey> {
  const entry = holders(config).find((one) => one.holder === holder)
  return readLocalKey(config.keys, holder, entry?.roles ?? [], entry?.may ?? [])
}

/** The public root key and the keyset that it signed. @throws UsageError when they are not there, or not signed by it */
export async function publicKeys(config: Config): Promise<PublicKeys> {
  const found = await readKeyset(config)
  if (found === null) {
    throw new UsageError(
      `${config.keys}: ${rootKeyFile} and ${keysetFile} are not there. Make all keys once with \`interlock keys make\`, and copy these two to every machine.`,
    )
  }
  return found
}

async function rootOf(config: Config): Promise<LocalKey> {
  return localKey(config.keys, rootHolder, ['person'], ['key-custodian'])
}

/** Signs and writes the keyset where its content changed. */
async function published(
  config: Config,
  root: LocalKey,
  keys: readonly KeyEntry[],
  expires?: number,
): Promise<PublicKeys> {
  const rootKey = root.entry.publicKey
  const before = await readKeyset(config)
  const isSame =
    before?.rootKey === rootKey &&
    contentHash(before.keyset.keys) === contentHash(keys) &&
    before.keyset.expires === expires
  if (before !== null && isSame) return before
  const version = (before?.keyset.version ?? 0) + 1
  const keyset: KeysetDocument = { kind: 'keyset', version, keys, ...(expires === undefined ? {} : { expires }) }
  const envelope = signRequest(
    {
      v: 1,
      id: `keyset-${keyset.version}`,
      environment: config.environment,
      by: rootHolder as PersonId,
      request: { kind: 'document', document: keyset },
    },
    root.signer,
  )
  const pem = createPublicKey({ key: Buffer.from(rootKey, 'base64'), format: 'der', type: 'spki' })
  await replace(join(config.keys, rootKeyFile), pem.export({ type: 'spki', format: 'pem' }))
  await replace(join(config.keys, keysetFile), envelope)
  return { rootKey, keyset, envelope }
}

async function replace(path: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o644, flush: true })
  await rename(`${path}.new`, path)
}

async function readKeyset(config: Config): Promise<PublicKeys | null> {
  let envelope: Uint8Array
  let pem: string
  try {
    envelope = await readFile(join(config.keys, keysetFile))
    pem = await readFile(join(config.keys, rootKeyFile), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  const rootKey = der.toString('base64')
  const entry: KeyEntry = { keyId: keyIdOf(der), publicKey: rootKey, roles: ['person'], holder: rootHolder, may: [] }
  const verified = verifyRequest(envelope, [entry])
  if (!verified.ok) {
    throw new UsageError(
      `${join(config.keys, keysetFile)}: is not signed by the root key of ${rootKeyFile} (${verified.reason}: ${verified.detail}). Copy both from where \`interlock keys make\` ran.`,
    )
  }
  const { request, environment } = verified.value
  if (request.kind !== 'document' || request.document.kind !== 'keyset') {
    throw new UsageError(`${join(config.keys, keysetFile)}: holds no keyset.`)
  }
  if (environment !== config.environment) {
    throw new UsageError(
      `${join(config.keys, keysetFile)}: is of environment "${environment}", and interlock.yaml says "${config.environment}".`,
    )
  }
  return { rootKey, keyset: request.document, envelope }
}
