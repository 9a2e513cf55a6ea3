/** What every command of the CLI promises: help, one JSON document, no colour on a pipe, exit codes (docs/cli.md). */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, interlock, type Ran } from '../process/interlock.ts'

const policy = resolve(import.meta.dirname, '../../examples/flights/policy.yaml')
const hash = '0'.repeat(64)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-cli-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const run = (...args: readonly string[]): Promise<Ran> => interlock(args, { cwd: folder })
const withColour = (...args: readonly string[]): Promise<Ran> =>
  interlock(args, { cwd: folder, env: { NO_COLOR: '1', FORCE_COLOR: '' } })

/** Names of the commands that a help text lists. */
function listed(help: string): string[] {
  const commands = help.slice(help.indexOf('Commands:'))
  return [...commands.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name as string)
}

test('help shows the five commands of a newcomer, `help all` every one of docs/cli.md', async () => {
  const five = ['up', 'demo', 'status', 'why', 'rollback']
  for (const args of [['help'], ['--help'], ['-h']]) {
    const { code, stdout, stderr } = await run(...args)
    expect([args, code, stderr, listed(stdout)]).toEqual([args, 0, '', five])
    expect(stdout).toContain('`interlock help all` lists every command.')
  }
  const all = await run('help', 'all')
  const names = all.stdout
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .replace(/ (<.*| {1,}\S.*)$/, '')
        .replace(/^interlock /, '')
        .trim(),
    )
  const page = await readFile(resolve(import.meta.dirname, '../../docs/cli.md'), 'utf8')
  const table = page.slice(page.indexOf('## Commands'), page.indexOf('### Options'))
  const documented = [...table.matchAll(/^\| `([a-z]+(?: [a-z]+)*)/gm)].map(([, name]) => name as string)
  expect([all.code, names.toSorted()]).toEqual([0, documented.toSorted()])
  expect(documented).toEqual(expect.arrayContaining(five))
  const one = await run('help', 'rollout')
  expect([one.code, listed(one.stdout)]).toEqual([0, ['start', 'watch']])
  // A command alone, like a mistyped one, is a mistake: help on standard error.
  const nothing = await run()
  expect([nothing.code, nothing.stdout, listed(nothing.stderr)]).toEqual([2, '', five])
})

test('a wrong option, argument, command or topic of help ends with 2, says why, and changes nothing', async () => {
  const mistakes: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['status', '--nope'], /unknown option '--nope'/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['why'], /missing required argument 'deployment'/],
    [['rollback', 'Toy!'], /lower-case letters, digits and dashes/],
    [['rollout', 'start', 'toy'], /required option '--manifest/],
    [['rollout', 'watch', 'toy', '--timeout', '0'], /write a number above 0/],
    [['demo', '--fault', 'meteor'], /Allowed choices are unit, .*none/],
    [['demo', '--seed', '1.5'], /write a whole number/],
    [['help', 'meteor'], /no command 'meteor'/],
  ]
  for (const [args, says] of mistakes) {
    const plain = await run(...args)
    expect([args, plain.code, plain.stdout, plain.stderr]).toEqual([args, 2, '', expect.stringMatching(says)])
  }
  const asJson = await run('status', '--nope', '--json')
  expect([asJson.code, documentOf(asJson)]).toEqual([2, { v: 1, error: expect.stringMatching(/unknown option/) }])
})

test('where nothing runs, every command that needs it ends with 3 and says how to start it', async () => {
  const files = ['--manifest', 'm.json', '--baseline', 'b.json', '--policy', 'p.yaml']
  const commands = [
    ['status'],
    ['why', 'toy'],
    ['rollback', 'toy', '--yes', '--reason', 'x'],
    ['rollout', 'watch', 'toy'],
    ['rollout', 'start', 'toy', ...files],
    ['approve', 'toy', hash],
  ]
  for (const command of commands) {
    const { code, stdout, stderr } = await run(...command)
    expect([command, code, stdout, stderr]).toEqual([
      command,
      3,
      '',
      expect.stringMatching(/does not run on .*`interlock up`/),
    ])
  }
  const asJson = await run('status', '--json')
  expect([asJson.code, documentOf(asJson)]).toEqual([3, { v: 1, error: expect.stringMatching(/`interlock up`/) }])
  const replay = await run('replay', '--verify')
  expect([replay.code, replay.stderr]).toEqual([2, expect.stringMatching(/there is no log.*interlock up/)])
})

test('--json prints one document of version 1 and nothing else; without it nothing on a pipe is coloured', async () => {
  const commands: readonly (readonly [args: readonly string[], code: number])[] = [
    [['policy', 'check', policy], 0],
    [['policy', 'explain', policy], 0],
    [['doctor'], 0],
    [['policy', 'check', 'none.yaml'], 2],
  ]
  for (const [args, code] of commands) {
    const asJson = await run('--json', ...args)
    expect([args, asJson.code, documentOf(asJson).v]).toEqual([args, code, 1])
    for (const text of [await run(...args), await withColour(...args)]) {
      expect([args, text.code, `${text.stdout}${text.stderr}`.includes('\u001b')]).toEqual([args, code, false])
      expect([args, `${text.stdout}${text.stderr}`.length > 20]).toEqual([args, true])
    }
  }
  const findings = documentOf(await run('--json', 'doctor')).findings as { check: string; state: string }[]
  expect(findings.map(({ check, state }) => `${check} ${state}`)).toEqual([
    'Node ok',
    'configuration ok',
    'data folder note',
    'running note',
    'deployments note',
    'clock ok',
  ])
})

test('`policy explain` says the same words each time, in sentences, and every rule of the policy', async () => {
  const once = await run('policy', 'explain', policy)
  const twice = await run('policy', 'explain', policy)
  expect([once.code, once.stderr]).toEqual([0, ''])
  expect(twice.stdout).toBe(once.stdout)
  for (const words of ['flights', 'flight distance', 'travellers who get a wrong forecast', '5 %', 'roll'])
    expect(once.stdout.toLowerCase()).toContain(words)
  expect(String(documentOf(await run('policy', 'explain', policy, '--json')).text).trimEnd()).toBe(
    once.stdout.trimEnd(),
  )
})
