import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { decodeOut, type KeyEntry, keyIdOf, shardLog, topics, verifyRequest } from '@interlock/contracts'
import { rootHolder } from '@interlock/governor'
import { Audit, type AuditReport, type Checkpoint, type Finding, openCheckpoint, originOf } from '@interlock/ledger'
import { type EventLog, firstKnownValid, systemClock, validEntries } from '@interlock/runtime'
import type { Config } from '../config.ts'
import { exitCodes, Refused } from '../errors.ts'
import type { Output } from '../output.ts'
import { type PublicKeys, publicKeys } from '../parts/keys.ts'
import { openLog } from '../parts/log.ts'
import { count } from '../words.ts'

export interface AuditVerifyOptions {
  /** File with the checkpoint of the last time; the ledger must have grown out of it. Written anew when all is well. */
  readonly checkpoint?: string
  /** Verify again and again until something is found. */
  readonly watch: boolean
}

const watchEveryMs = 30_000

/**
 * `interlock audit verify`: reads the ledger from its beginning and checks every leaf against the signed roots, and every decision of
 * the governors against its leaf. Reads the log only: no service has to run. Exit 1 where something is found.
 */
export async function auditVerify(config: Config, options: AuditVerifyOptions, out: Output): Promise<number> {
  const known = await publicKeys(config)
  const { log } = await openLog(config, 'audit')
  const stop = new AbortController()
  if (options.watch) process.once('SIGINT', () => stop.abort())
  try {
    for (;;) {
      const { report, complete } = await verify(log, config, known, options.checkpoint)
      if (!options.watch || report.findings.length > 0 || stop.signal.aborted) {
        out.result({ ...report, complete }, describe(report, complete))
        return report.findings.length > 0 ? exitCodes.breachOrRefused : exitCodes.good
      }
      out.event({ v: 1, leaves: report.leaves, checkpoints: report.checkpoints }, describe(report, complete))
      await systemClock.sleep(watchEveryMs, stop.signal)
    }
  } finally {
    await log.close()
  }
}

async function verify(
  log: EventLog,
  config: Config,
  known: PublicKeys,
  file: string | undefined,
): Promise<{ readonly report: AuditReport; readonly complete: boolean }> {
  const origin = originOf(config.environment)
  const keys = await fleetKeysEver(log, known)
  const since = file === undefined ? null : await readCheckpoint(file, origin, keys)
  const now = Date.now()
  const audit = new Audit({ origin, keys, now, ...(since === null ? {} : { since }) })
  const { begin, end } = await log.bounds(topics.audit, 0)
  for await (const { records } of log.read({ topic: topics.audit, partition: 0, from: begin, to: end })) {
    for (const { offset, at, value, headers } of records) {
      const kind = headers.kind === 'checkpoint' ? 'checkpoint' : 'leaf'
      audit.take({ kind, offset, at, value: value ?? new Uint8Array() })
    }
  }
  const complete = await compareDecisions(log, audit)
  const report = audit.finish({ complete })
  if (file !== undefined && report.findings.length === 0 && report.newest !== null) {
    await writeFile(`${file}.new`, report.newest.note, { flush: true })
    await rename(`${file}.new`, file)
  }
  return { report, complete }
}

/** Hands over every decision and command of every governor. @returns whether their logs reach back to their beginning */
async function compareDecisions(log: EventLog, audit: Audit): Promise<boolean> {
  const topic = shardLog('governor')
  const shards = await log.partitions(topic)
  let complete = true
  for (let shard = 0; shard < shards; shard++) {
    const source = { topic, partition: shard }
    const { begin, end } = await log.bounds(topic, shard)
    if (begin > 0n) complete = false
    const after = await firstKnownValid(log, source)
    if (after === null) continue
    for await (const { offset, entry } of validEntries(log, source, after, end)) {
      for (const out of entry.outs) {
        if (out.kind !== 'decision' && out.kind !== 'command') continue
        const decoded = decodeOut(out)
        if (decoded.kind === 'decision') audit.compare(decoded, { shard, offset })
        if (decoded.kind === 'command') audit.compareCommand(decoded.command, { shard, offset })
      }
    }
  }
  return complete
}

/** Keys of role `fleet` of every keyset that the root key signed: an old checkpoint stays good when its key is replaced. */
async function fleetKeysEver(log: EventLog, { rootKey, keyset }: PublicKeys): Promise<readonly KeyEntry[]> {
  const root: KeyEntry = {
    keyId: keyIdOf(Buffer.from(rootKey, 'base64')),
    publicKey: rootKey,
    roles: ['person'],
    holder: rootHolder,
    may: [],
  }
  const keys = new Map(keyset.keys.map((key) => [key.keyId, key]))
  // A keyset goes to every shard; one of them tells them all.
  const { begin, end } = await log.bounds(topics.requests, 0)
  for await (const { records } of log.read({ topic: topics.requests, partition: 0, from: begin, to: end })) {
    for (const { key, value } of records) {
      if (value === null || key === null || Buffer.from(key).toString('utf8') !== 'keyset') continue
      const verified = verifyRequest(value, [root])
      if (!verified.ok || verified.value.request.kind !== 'document') continue
      const { document } = verified.value.request
      if (document.kind === 'keyset') for (const one of document.keys) keys.set(one.keyId, one)
    }
  }
  return [...keys.values()].filter(({ roles }) => roles.includes('fleet'))
}

async function readCheckpoint(file: string, origin: string, keys: readonly KeyEntry[]): Promise<Checkpoint | null> {
  if (!existsSync(file)) return null
  const opened = openCheckpoint(await readFile(file, 'utf8'), origin, keys)
  if (opened.ok) return opened.checkpoint
  throw new Refused(
    `${file}: is no checkpoint of this ledger: ${opened.reason}. Name the file that was written here before.`,
  )
}

function describe({ findings, leaves, checkpoints, newest }: AuditReport, complete: boolean): string {
  const size = newest === null ? 'no checkpoint yet' : `root ${newest.root} at size ${count(newest.size)}`
  if (findings.length === 0) {
    const compared = complete ? 'every decision has its leaf' : 'every decision that the log still holds has its leaf'
    return `✓ ${count(leaves)} leaves, ${count(checkpoints)} checkpoints, ${size}; ${compared}`
  }
  return [
    `✗ ${findings.length} found in ${count(leaves)} leaves; ${size}`,
    ...findings.slice(0, 20).map((finding) => `  ${finding.what}: ${finding.detail}${placeOf(finding)}`),
    ...(findings.length > 20 ? [`  and ${findings.length - 20} more; --json lists all`] : []),
  ].join('\n')
}

function placeOf({ offset, source }: Finding): string {
  const places = [
    ...(offset === null ? [] : [`audit offset ${offset}`]),
    ...(source === null ? [] : [`governor's log ${source}`]),
  ]
  return places.length === 0 ? '' : ` (${places.join(', ')})`
}
