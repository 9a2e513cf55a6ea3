/** The policy tools of a pull request as a shell sees them: text, annotations, exit codes. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, interlock } from '../process/interlock.ts'

const policy = resolve(import.meta.dirname, '../../examples/flights/policy.yaml')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-policy-'))
  const source = await readFile(policy, 'utf8')
  await writeFile(join(folder, 'looser.yaml'), source.replaceAll('tolerate: 20%', 'tolerate: 50%'))
  await writeFile(join(folder, 'broken.yaml'), source.replace('against: stable', 'against: stabel'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const run = (...args: readonly string[]) => interlock(args, { cwd: folder })

test('diff ends with 1 when something becomes looser, and with 0 on the way back', async () => {
  const looser = await run('policy', 'diff', policy, 'looser.yaml')
  expect([looser.code, looser.stdout]).toEqual([1, expect.stringContaining('tolerated: 50 % instead of 20 %')])
  const stricter = await run('policy', 'diff', 'looser.yaml', policy)
  expect([stricter.code, stricter.stdout]).toEqual([0, expect.stringMatching(/^Stricter\n- /)])
  const same = documentOf(await run('--json', 'policy', 'diff', policy, policy))
  expect(same.changes).toEqual([])
  expect((await run('policy', 'diff', policy, 'broken.yaml')).code).toBe(1)
})

test('check speaks SARIF and the annotations of a pull request, each with the line', async () => {
  const sarif = await run('policy', 'check', 'broken.yaml', '--format', 'sarif')
  const [result] = JSON.parse(sarif.stdout).runs[0].results
  expect([sarif.code, result.ruleId]).toEqual([1, 'wrong-value'])
  const { artifactLocation, region } = result.locations[0].physicalLocation
  expect(artifactLocation.uri).toBe('broken.yaml')
  const github = await run('policy', 'check', 'broken.yaml', '--format', 'github')
  expect(github.stdout).toMatch(
    new RegExp(`^::error file=broken.yaml,line=${region.startLine},col=${region.startColumn},title=.*::.*stable`),
  )
  expect((await run('policy', 'check', policy, '--format', 'github')).stdout.trim()).toBe('')
})

test('check reads the files that a policy extends, beside it, and names the one that is wrong', async () => {
  const layer = (tolerate: string) =>
    writeFile(
      join(folder, 'organisation.yaml'),
      `policy: acme\nguardrails:\n  errors: { signal: errors, against: stable, role: gate, tolerate: ${tolerate}, safe: 300%, absolute: 1%, by: [segment:airport], action: roll back, protects: travellers who get no answer }\n`,
    )
  await mkdir(join(folder, 'team'), { recursive: true })
  const source = await readFile(policy, 'utf8')
  const own = source.replace('class: medium', 'class: medium\nextends: [../organisation.yaml]')
  await writeFile(join(folder, 'team/policy.yaml'), own)
  await layer('60%')
  expect((await run('policy', 'check', 'team/policy.yaml')).code).toBe(0)
  const explained = await run('policy', 'explain', 'team/policy.yaml')
  expect(explained.stdout).toMatch(/- errors: .*This rule is from "acme"\./)
  await layer('40%')
  const looser = await run('policy', 'check', 'team/policy.yaml')
  expect([looser.code, looser.stdout]).toEqual([
    1,
    expect.stringMatching(/^team\/policy\.yaml:\d+:15 {2}Rule "errors"/),
  ])
  await layer('lots')
  expect((await run('policy', 'check', 'team/policy.yaml')).stdout).toMatch(/^organisation\.yaml:3:/)
  await rm(join(folder, 'organisation.yaml'))
  expect((await run('policy', 'check', 'team/policy.yaml')).stderr).toMatch(
    /extends "..\/organisation.yaml".*cannot be read/,
  )
})
