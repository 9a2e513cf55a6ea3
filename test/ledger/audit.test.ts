/**
 * `interlock up` as a process, people who decide, and then `interlock audit verify` over what it left on disk: whole, and after
 * somebody with access to the disk has edited it.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { apiClient, loadConfig, readPolicy, requesterFor } from '@interlock/cli'
import { type DeploymentId, type PersonId, type Request, topics } from '@interlock/contracts'
import { fleetStaleAfterMs } from '@interlock/deployment'
import { openSqliteLog } from '@interlock/runtime'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, freePort, interlock, runningUp, until } from '../process/interlock.ts'
import { outsOf, recordsOf } from '../process/records.ts'
import { loaded, slowPolicy, writeDeployment } from '../process/small-deployment.ts'
import { standInRouter } from '../process/stand-in-router.ts'

const toy = 'toy' as DeploymentId
/** Two people who neither deploy nor write policies: a restore needs them. */
const people = `
people:
  - { id: author, may: [deployer, policy-author, on-call] }
  - { id: approver, may: [policy-approver, release-approver, on-call] }
  - { id: keeper, may: [on-call] }
`

let folder: string
let config: string
let data: string
const answers: Record<string, unknown>[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-ledger-'))
  const router = await standInRouter(loaded)
  const port = await freePort()
  const written = await writeDeployment(folder, router.url, port, { policy: slowPolicy, configuration: people })
  config = written.config
  data = loadConfig(config).data
  const up = await runningUp(config, port, { TOY_TOKEN: router.token })
  try {
    const api = apiClient(data)
    const as = async (person: string, request: Request): Promise<void> => {
      await (await requesterFor(loadConfig(config), api, person)).submit(toy, request)
    }
    const ask = async (person: string, act: string): Promise<Record<string, unknown>> => {
      const words = [
        act,
        'toy',
        '--reason',
        act === 'halt' ? 'Stop.' : 'Said so.',
        '--as',
        person,
        '--json',
        '--config',
        config,
      ]
      return documentOf(await interlock(words))
    }
    const shown = async (): Promise<string> => JSON.stringify(await api.get(`/api/v1/deployments/${toy}`))
    const policy = readPolicy(written.policy, 'author' as PersonId)
    await as('approver', { kind: 'approve', deployment: toy, object: policy.hash, comment: '' })
    answers.push(await ask('keeper', 'hold'), await ask('keeper', 'hold'), await ask('keeper', 'release'))
    answers.push(await ask('keeper', 'halt'), await ask('author', 'restore'), await ask('keeper', 'restore'))
    answers.push(await ask('approver', 'restore'))
    await until('the restore', async () => (await shown()).includes('"steady"') && (await shown()).includes('[1,1,0,'))
    // The leaf of the last decision follows within a step or two.
    await new Promise((tick) => setTimeout(tick, 3_000))
  } finally {
    await up.stop()
    await router.close()
  }
}, 90_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

/** A copy of everything, so that each test spoils its own. */
async function copied(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'interlock-ledger-copy-'))
  await cp(folder, copy, { recursive: true })
  return join(copy, 'interlock.yaml')
}

/** Changes bytes in the database behind the log's back, of the same length: an edit on disk. */
function edit(yaml: string, topic: string, from: string, to: string): void {
  const db = new DatabaseSync(join(loadConfig(yaml).data, 'log', 'log.sqlite'))
  const rows = db
    .prepare('SELECT b.id, b.records FROM batches b JOIN partitions p ON b.id >> 40 = p.pid WHERE p.topic = ?')
    .all(topic) as { id: number; records: Uint8Array }[]
  const found = rows.find(({ records }) => Buffer.from(records).includes(from))
  if (found === undefined) throw new Error(`no record of ${topic} holds ${from}`)
  const text = Buffer.from(found.records).toString('latin1').replace(from, to)
  db.prepare('UPDATE batches SET records = ? WHERE id = ?').run(Buffer.from(text, 'latin1'), found.id)
  db.close()
}

async function verify(yaml: string, ...args: readonly string[]) {
  const ran = await interlock(['audit', 'verify', '--json', '--config', yaml, ...args])
  return { code: ran.code, ...documentOf(ran) } as {
    readonly code: number
    readonly leaves: number
    readonly complete: boolean
    readonly findings: readonly { what: string; index: number | null; source: string | null }[]
  }
}

test('each request of the command line is answered by its own decision, refusals too', () => {
  expect(answers.map(({ outcome }) => outcome)).toEqual([
    'held',
    'refused',
    'released',
    'halted',
    'refused',
    'approved',
    'approved',
  ])
  expect(String(answers.at(-1)?.text)).toContain('once the ledger has it')
})

test('a restore by two people is issued after its decision is in the ledger, in the order of the log', async () => {
  const log = openSqliteLog({ folder: join(data, 'log') })
  const decisions = await outsOf(log, 'governor', 'decision')
  const leaves = await outsOf(log, 'fleet', 'leaf')
  const [restored] = decisions.filter(({ outcome }) => outcome === 'restored')
  const commands = await outsOf(log, 'governor', 'command')
  const restore = commands.find(({ command }) => command.order[1] === 1)?.command
  const signed = decisions.find(({ id }) => id === restore?.because)
  expect(signed).toMatchObject({ outcome: 'approved', rule: 'restore', by: 'approver' })
  const leaf = leaves.find(({ decision }) => decision === signed?.id)
  expect(JSON.parse(leaf?.leaf ?? '{}')).toMatchObject({ actor: 'approver', request: signed?.request })
  expect(restored?.sequence).toBeGreaterThan(signed?.sequence ?? Number.POSITIVE_INFINITY)
  expect(new Set(leaves.map(({ decision }) => decision)).size).toBe(leaves.length)
  // The fleet kept up all the while: grants were renewed for as long.
  const pulses = (await outsOf(log, 'fleet', 'pulse')).map(({ at }) => at)
  const gaps = pulses.slice(1).map((at, index) => at - (pulses[index] as number))
  expect(pulses.length).toBeGreaterThan(1)
  expect(Math.max(...gaps)).toBeLessThan(fleetStaleAfterMs)
  await log.close()
})

test('what is on disk is whole: every decision is a leaf, and the roots are signed', async () => {
  const checkpoint = join(folder, 'checkpoint')
  const first = await verify(config, '--checkpoint', checkpoint)
  expect(first).toMatchObject({ code: 0, findings: [], complete: true })
  expect(first.leaves).toBeGreaterThanOrEqual(8)
  expect(await verify(config, '--checkpoint', checkpoint)).toMatchObject({ code: 0, leaves: first.leaves })
})

test('a leaf and a decision that were edited on disk are found, at the entry', async () => {
  const leaf = await copied()
  edit(leaf, topics.audit, '"actor":"keeper"', '"actor":"author"')
  const found = await verify(leaf)
  expect(found.code).toBe(1)
  expect(found.findings[0]).toMatchObject({ what: 'edited' })
  const decision = await copied()
  edit(decision, 'log.governor', 'Stop.', 'Star.')
  const [first] = (await verify(decision)).findings
  expect(first).toMatchObject({ what: 'decision-differs', source: expect.stringMatching(/^0\/\d+$/) })
})

test('a tail that was cut from the topic is found by the checkpoint that was kept, and by the decisions', async () => {
  const cut = await copied()
  const checkpoint = join(cut, '..', 'kept')
  expect((await verify(cut, '--checkpoint', checkpoint)).code).toBe(0)
  const db = new DatabaseSync(join(loadConfig(cut).data, 'log', 'log.sqlite'))
  const { pid, end } = db.prepare('SELECT pid, "end" FROM partitions WHERE topic = ?').get(topics.audit) as {
    pid: number
    end: number
  }
  const keep = Math.floor(end / 2)
  db.prepare('DELETE FROM batches WHERE id >> 40 = ? AND id & ((1 << 40) - 1) >= ?').run(pid, keep)
  db.prepare('UPDATE partitions SET "end" = ? WHERE pid = ?').run(keep, pid)
  db.close()
  const found = await verify(cut, '--checkpoint', checkpoint)
  expect(found.code).toBe(1)
  expect(found.findings.map(({ what }) => what)).toContain('truncated')
})

test('the record that a stranger appended is found', async () => {
  const forged = await copied()
  const log = openSqliteLog({ folder: join(loadConfig(forged).data, 'log') })
  const records = await recordsOf(log, topics.audit)
  const note = records.findLast(({ headers }) => headers.kind === 'checkpoint')?.value
  const text = Buffer.from(note ?? new Uint8Array()).toString('utf8')
  const other = text.replace(/\n(\d+)\n/, '\n1\n')
  await log.append(topics.audit, 0, { value: Buffer.from(other), headers: { kind: 'checkpoint' } })
  await log.close()
  expect((await verify(forged)).findings).toMatchObject([{ what: 'bad-checkpoint' }])
})
