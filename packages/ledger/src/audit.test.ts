import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import {
  type AgentId,
  type Command,
  type DecisionOut,
  type DeploymentId,
  encodeOut,
  type Hash,
  type KeyEntry,
  keyIdOf,
  type LeafOut,
  sha256,
  type VersionId,
} from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Audit, type AuditRecord, type AuditReport } from './audit.ts'
import { type Checkpoint, originOf, signCheckpoint } from './checkpoint.ts'
import { leafOf, leafText } from './leaf.ts'
import { append, emptyFrontier, leafHash, rootOf } from './merkle.ts'

const seed = 29
const origin = originOf('test')

function key(name: string): KeyObject {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(sha256(name), 'hex')])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
const fleet = key('fleet')
const spki = createPublicKey(fleet).export({ type: 'spki', format: 'der' })
const keys: readonly KeyEntry[] = [
  { keyId: keyIdOf(spki), publicKey: spki.toString('base64'), roles: ['fleet'], holder: 'fleet', may: [] },
]

const view = {
  phase: 'steady',
  generation: 1,
  stable: 'm@v1' as VersionId,
  candidate: null,
  stage: null,
  stageIndex: -1,
  share: 0,
  holds: [],
  order: [1, 0, 0, 1],
} as const

function decision(sequence: number): DecisionOut {
  return {
    kind: 'decision',
    id: sha256(`decision ${sequence}`),
    deployment: `d${sequence % 3}` as DeploymentId,
    environment: 'test',
    generation: 1,
    sequence,
    at: 1_000 * sequence,
    outcome: 'held',
    rule: 'request',
    facts: {},
    text: `Held for the ${sequence}th time.`,
    evidence: null,
    guardrail: null,
    policy: sha256('policy'),
    by: 'cho',
    before: view,
    after: view,
    request: `r${sequence}`,
  }
}

interface Ledger {
  readonly records: readonly AuditRecord[]
  readonly decisions: readonly DecisionOut[]
  readonly checkpoints: readonly Checkpoint[]
}

/** A ledger as the fleet writes it: so many leaves in each step, and a checkpoint behind each step. */
function ledger(steps: readonly number[], by: KeyObject = fleet): Ledger {
  const records: AuditRecord[] = []
  const decisions: DecisionOut[] = []
  const checkpoints: Checkpoint[] = []
  let frontier = emptyFrontier
  const put = (kind: AuditRecord['kind'], value: Uint8Array): void => {
    records.push({ kind, offset: BigInt(records.length), at: 0, value })
  }
  for (const count of steps) {
    for (let made = 0; made < count; made++) {
      const one = decision(decisions.length)
      const leaf = leafText(leafOf(one, { shard: 0, offset: BigInt(decisions.length) }))
      const { deployment, sequence, id } = one
      const out: LeafOut = { kind: 'leaf', index: decisions.length, deployment, sequence, decision: id, leaf }
      put('leaf', encodeOut(out).value)
      frontier = append(frontier, leafHash(Buffer.from(leaf)))
      decisions.push(one)
    }
    const checkpoint = { origin, size: frontier.size, root: rootOf(frontier) }
    checkpoints.push(checkpoint)
    put('checkpoint', Buffer.from(signCheckpoint(checkpoint, by)))
  }
  return { records, decisions, checkpoints }
}

function audited(
  records: readonly AuditRecord[],
  decisions: readonly DecisionOut[] | null,
  since?: Checkpoint,
): AuditReport {
  const audit = new Audit({ origin, keys, now: 10_000_000, ...(since === undefined ? {} : { since }) })
  for (const record of records) audit.take(record)
  for (const one of decisions ?? []) audit.compare(one, { shard: 0, offset: BigInt(one.sequence) })
  return audit.finish({ complete: decisions !== null })
}

const whole = ledger([1, 3, 2, 1])

test('a whole ledger has no finding, also where the publisher repeated itself', () => {
  const report = audited(whole.records, whole.decisions)
  expect(report).toEqual({
    findings: [],
    leaves: 7,
    checkpoints: 4,
    newest: { ...whole.checkpoints.at(-1), note: expect.stringContaining(origin) },
  })
  const again = [...whole.records.slice(0, 7), ...whole.records.slice(2)]
  expect(audited(again, whole.decisions).findings).toEqual([])
  expect(audited(whole.records, whole.decisions, whole.checkpoints[1]).findings).toEqual([])
})

test('a cut tail is found by the checkpoint of the last time, by the decisions, and by a leaf that nobody signed', () => {
  const cut = whole.records.slice(0, 6)
  expect(audited(cut, null, whole.checkpoints[3]).findings).toMatchObject([{ what: 'truncated', index: 4 }])
  expect(audited(cut, whole.decisions).findings.map(({ what, source }) => [what, source])).toEqual([
    ['decision-missing', '0/4'],
    ['decision-missing', '0/5'],
    ['decision-missing', '0/6'],
  ])
  expect(audited(whole.records.slice(0, 4), null).findings).toMatchObject([
    { what: 'unsigned', index: 1, source: '0/1' },
  ])
})

test('a decision and a leaf of a moment ago may still wait for their leaf and checkpoint', () => {
  const found = (now: number) => {
    const audit = new Audit({ origin, keys, now })
    for (const record of whole.records.slice(0, 3)) audit.take({ ...record, at: 5_000 })
    audit.compare(decision(5), { shard: 0, offset: 5n })
    return audit.finish().findings.map(({ what, source }) => [what, source])
  }
  expect(found(5_000 + 60_000)).toEqual([])
  expect(found(5_000 + 60_001)).toEqual([
    ['decision-missing', '0/5'],
    ['unsigned', '0/1'],
  ])
})

test('leaves that changed places, a leaf that went, and one that reads otherwise are found at the leaf', () => {
  const swapped = [...whole.records]
  ;[swapped[2], swapped[3]] = [swapped[3]!, swapped[2]!]
  expect(audited(swapped, null).findings).toMatchObject([{ what: 'missing', index: 1, offset: 3n }])
  const gone = whole.records.filter((_, index) => index !== 3)
  expect(audited(gone, null).findings).toMatchObject([{ what: 'missing', index: 2 }])
  const edited = ledger([1, 3, 2, 1]).records.map((record, index) =>
    index === 6 ? { ...record, value: replaced(record.value, '"actor":"cho"', '"actor":"ada"') } : record,
  )
  const found = audited(edited, null).findings
  expect(found).toMatchObject([{ what: 'edited', offset: 8n, index: 4 }])
})

test('a decision that reads otherwise in the governor’s log, or lies elsewhere in it, is found at its entry', () => {
  const edited = whole.decisions.map((one) => (one.sequence === 2 ? { ...one, text: 'Nothing happened.' } : one))
  expect(audited(whole.records, edited).findings).toMatchObject([{ what: 'decision-differs', index: 2, source: '0/2' }])
  const audit = new Audit({ origin, keys, now: 10_000_000 })
  for (const record of whole.records) audit.take(record)
  audit.compare(decision(2), { shard: 1, offset: 2n })
  expect(audit.finish().findings).toMatchObject([{ what: 'decision-differs', source: '1/2' }])
})

test('a command that names a decision without a leaf is found, once; one whose decision is in the ledger is not', () => {
  const audit = new Audit({ origin, keys, now: 10_000_000 })
  for (const record of whole.records) audit.take(record)
  const command = {
    v: 1,
    environment: 'test',
    audience: 'agent' as AgentId,
    deployment: 'd0' as DeploymentId,
    issuedAt: 0,
    order: [2, 1, 0, 9],
    desired: { target: sha256('t'), candidate: null, shareMax: 0, shadow: false, pace: 'at-once', fallback: false },
    grant: null,
    because: decision(3).id,
    policy: sha256('policy'),
  } as const satisfies Command
  audit.compareCommand(command, { shard: 0, offset: 7n })
  expect(audit.finish().findings).toEqual([])
  for (const offset of [8n, 9n]) audit.compareCommand({ ...command, because: sha256('nobody') }, { shard: 0, offset })
  audit.compareCommand({ ...command, because: sha256('new'), issuedAt: 9_990_000 }, { shard: 0, offset: 10n })
  expect(audit.finish().findings).toMatchObject([{ what: 'command-unfounded', source: '0/8' }])
})

test('a ledger that was written anew with the fleet’s own key is told from the one that was verified before', () => {
  const { records } = ledger([1, 1, 1, 1, 1, 1, 1, 1])
  const other = ledger([2, 2, 2, 2])
  expect(audited(records, null, other.checkpoints[1]).findings).toEqual([]) // the same leaves: no fork
  const rewritten = ledgerOf(['x', 'y', 'z'])
  expect(audited(rewritten, null, whole.checkpoints[0]).findings).toMatchObject([{ what: 'forked' }])
  expect(audited(rewritten, whole.decisions).findings.map(({ what }) => what)).toContain('no-decision')
})

test('checkpoints by a strange key are none', () => {
  expect(audited(ledger([1, 1], key('somebody')).records, null).findings).toMatchObject([
    { what: 'bad-checkpoint', offset: 1n, detail: 'no key in force signed it' },
  ])
})

/** So many in CI; 100,000 take a minute: INTERLOCK_TAMPERINGS=100000. */
const tamperings = Number(process.env.INTERLOCK_TAMPERINGS ?? 8_000)

test(`none of ${tamperings} tamperings goes unfound, and each finding names its place`, () => {
  console.log(`tamperings of the ledger: seed ${seed}`)
  const { records, decisions } = whole
  const at = fc.nat({ max: records.length - 1 })
  const tampering = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at, byte: fc.nat(), bit: fc.nat({ max: 7 }) }),
    fc.record({ kind: fc.constant('drop' as const), at, count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('swap' as const), at, to: at }),
    fc.record({ kind: fc.constant('graft' as const), at, to: at }),
    fc.record({ kind: fc.constant('insert' as const), at, sequence: fc.integer({ min: 50, max: 60 }) }),
  )
  fc.assert(
    fc.property(tampering, (one) => {
      const forged = tampered(records, one)
      const report = audited(forged, decisions)
      if (isHarmless(forged)) expect(report.findings).toEqual([])
      else {
        expect(report.findings.length, JSON.stringify(one)).toBeGreaterThan(0)
        const first = report.findings[0]!
        // Located: a record, a leaf or a governor's entry is named.
        expect([first.offset, first.index, first.source].some((place) => place !== null)).toBe(true)
      }
    }),
    { seed, numRuns: tamperings },
  )
}, 120_000)

type Tampering =
  | { readonly kind: 'flip'; readonly at: number; readonly byte: number; readonly bit: number }
  | { readonly kind: 'drop'; readonly at: number; readonly count: number }
  | { readonly kind: 'swap' | 'graft'; readonly at: number; readonly to: number }
  | { readonly kind: 'insert'; readonly at: number; readonly sequence: number }

function tampered(records: readonly AuditRecord[], one: Tampering): readonly AuditRecord[] {
  const copy = [...records]
  const target = copy[one.at]!
  switch (one.kind) {
    case 'flip': {
      const value = Uint8Array.from(target.value)
      const place = one.byte % value.length
      value[place] = value[place]! ^ (1 << one.bit)
      copy[one.at] = { ...target, value }
      break
    }
    case 'drop':
      copy.splice(one.at, one.count)
      break
    case 'swap':
      ;[copy[one.at], copy[one.to]] = [copy[one.to]!, target]
      break
    case 'graft':
      copy[one.at] = copy[one.to]!
      break
    case 'insert':
      copy.splice(one.at, 0, leafRecord(one.sequence, one.at))
      break
  }
  return copy
}

/**
 * What an at-least-once publisher may do as well: every leaf still stands, in order, with a checkpoint behind the last, and
 * whatever repeats repeats the same bytes.
 */
function isHarmless(records: readonly AuditRecord[]): boolean {
  const known = new Map(whole.records.map(({ value }, place) => [Buffer.from(value).toString('hex'), place]))
  let leaves = 0
  let signed = 0
  for (const { value } of records) {
    const place = known.get(Buffer.from(value).toString('hex'))
    if (place === undefined) return false
    const before = whole.records.slice(0, place).filter(({ kind }) => kind === 'leaf').length
    if (whole.records[place]!.kind === 'leaf') {
      if (before > leaves) return false
      leaves = Math.max(leaves, before + 1)
    } else {
      if (before > leaves) return false
      signed = Math.max(signed, before)
    }
  }
  return leaves === whole.decisions.length && signed === leaves
}

function leafRecord(sequence: number, index: number): AuditRecord {
  const one = decision(sequence)
  const leaf = leafText(leafOf(one, { shard: 0, offset: BigInt(sequence) }))
  const out = { kind: 'leaf', index, deployment: one.deployment, sequence, decision: one.id, leaf } as const
  return { kind: 'leaf', offset: 99n, at: 0, value: encodeOut(out).value }
}

/** A ledger of made-up decisions, rightly signed. */
function ledgerOf(names: readonly string[]): readonly AuditRecord[] {
  let frontier = emptyFrontier
  const records: AuditRecord[] = names.map((name, index) => {
    const one = { ...decision(index), id: sha256(name) as Hash, by: name }
    const leaf = leafText(leafOf(one, { shard: 0, offset: BigInt(index) }))
    frontier = append(frontier, leafHash(Buffer.from(leaf)))
    const out = { kind: 'leaf', index, deployment: one.deployment, sequence: index, decision: one.id, leaf } as const
    return { kind: 'leaf', offset: BigInt(index), at: 0, value: encodeOut(out).value }
  })
  const note = signCheckpoint({ origin, size: frontier.size, root: rootOf(frontier) }, fleet)
  return [...records, { kind: 'checkpoint', offset: BigInt(names.length), at: 0, value: Buffer.from(note) }]
}

function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1')
}
