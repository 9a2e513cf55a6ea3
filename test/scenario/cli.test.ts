/** `policy test`, `policy mutate` and `policy simulate` as a shell sees them, on the example's policy and real baseline. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sampleBaseline, samplePolicy } from '../../packages/scenario/src/sample-baseline.ts'
import { readRecording } from '../equality/recording.ts'
import { documentOf, interlock } from '../process/interlock.ts'

const example = resolve(import.meta.dirname, '../../examples/flights')
const policy = join(example, 'policy.yaml')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-scenario-'))
  const { candidate, batches } = readRecording()
  await writeFile(join(folder, 'v2.baseline.json'), JSON.stringify(candidate.baseline))
  await writeFile(join(folder, 'delay.baseline.json'), JSON.stringify(sampleBaseline()))
  await writeFile(join(folder, 'delay.yaml'), samplePolicy)
  const lines = batches.map(({ rows }) => JSON.stringify({ records: rows }))
  await writeFile(join(folder, 'events.jsonl'), `${lines.join('\n')}\n`)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Beside other suites on two cores a scenario may take its time. */
const withinMs = 150_000
vi.setConfig({ testTimeout: 2 * withinMs })

const run = (...args: readonly string[]) => interlock(['policy', ...args], { cwd: folder, withinMs })
/** A small model, for what need not be real. */
const small = ['delay.yaml', '--baseline', 'delay.baseline.json', '--rate', '900000']

test("the example's own tests pass", async () => {
  const ran = await run('test', join(example, 'policy.test.yaml'), '--baseline', 'v2.baseline.json')
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^9 of 9 tests pass \(seed 1\)/)])
})

test('a test that comes out otherwise ends with 1 and says where it stands, what was found and what was wanted', async () => {
  const source = await readFile(join(example, 'policy.test.yaml'), 'utf8')
  const head = source.slice(0, source.indexOf('scenarios:')).replace('policy: policy.yaml', `policy: ${policy}`)
  await writeFile(join(folder, 'wrong.yaml'), head.replace('verdict: breach', 'verdict: pass'))
  const ran = await run('test', 'wrong.yaml')
  expect([ran.code, ran.stdout]).toEqual([
    1,
    expect.stringMatching(
      /^wrong\.yaml:\d+:5 {2}five times[^\n]*\n {2}found: breach[^\n]*\n {2}wanted: verdict pass\n3 of 4 tests pass/,
    ),
  ])
  await writeFile(join(folder, 'broken.yaml'), head.replace('rule: errors', 'rul: errors'))
  const broken = await interlock(['--json', 'policy', 'test', 'broken.yaml'], { cwd: folder, withinMs })
  const problems = documentOf(broken).problems as { column: number; happened: string }[]
  const named = problems.find(({ happened }) => happened === 'unknown key "rul"')
  expect([broken.code, named?.column]).toEqual([2, 5])
})

test('mutate names what is caught and what is blind, and ends with 1 below the score that is asked for', async () => {
  const args = ['mutate', ...small, '--faults', 'unit-thousand', 'unguarded', '--for', '10s']
  const enough = await run(...args, '--min-score', '60%')
  expect([enough.code, enough.stderr]).toEqual([
    0,
    expect.stringMatching(/✓ unit-thousand +rolled-back after [\d.]+ s by inputs.distance/),
  ])
  expect(enough.stdout).toMatch(/does right by 2 of 3 \(score 66.7 %\).*seeds 1\n {2}✗ unguarded: /)
  const less = await interlock(['--json', 'policy', ...args, '--min-score', '70%'], { cwd: folder, withinMs })
  expect([less.code, documentOf(less).score]).toEqual([1, 2 / 3])
  expect((await run('mutate', ...small, '--faults', 'meteor')).code).toBe(2)
  expect((await run('mutate', ...small.slice(0, 3))).stderr).toContain('there is no traffic')
})

test('mutate plays recorded events, with their own errors and rate unless told', async () => {
  const args = ['--baseline', 'v2.baseline.json', '--traffic', 'events.jsonl', '--faults', 'missing', '--for', '5s']
  const ran = await interlock(['--json', 'policy', 'mutate', policy, ...args], { cwd: folder, withinMs })
  const { traffic } = documentOf(ran) as unknown as { traffic: { from: string; rowsPerHour: number } }
  expect(traffic.from).toMatch(/^recorded: \d+ answers of flight-delay@v1$/)
  expect(traffic.rowsPerHour).toBeGreaterThan(100_000)
})

test('simulate tells the chance of a false stop, and each delay as it was foretold and as it came', async () => {
  const args = ['simulate', ...small, '--faults', 'unit-thousand', '--healthy', '1', '--seeds', '1', '--for', '5s']
  const { code, stdout, stderr } = await run(...args)
  expect([code, stdout]).toEqual([
    0,
    expect.stringContaining('stopped in 0 of 1 rollouts: a chance of 0 % to 97.5 % (95 %)'),
  ])
  expect(stderr).toMatch(/unit-thousand +foretold [\d.]+ s, .*; played [\d.]+ s, .* by inputs.distance \(1 of 1\)/)
})
