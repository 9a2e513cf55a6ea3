import { execFile } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { httpPlatform } from '@interlock/agent'
import { agentFromFiles, fileIntent, runAgent, setupFromEnvironment } from '@interlock/client/agent'
import { openSqliteLog } from '@interlock/runtime'
import { describe, expect, test } from 'vitest'
import { allCases } from '../../packages/cli/src/conformance/all-cases.ts'
import { type KitOptions, type Report, runKit } from '../../packages/cli/src/conformance/kit.ts'
import { topicChannel } from '../../packages/cli/src/conformance/topic-channel.ts'
import type { Bug } from './broken-agent.ts'

const root = resolve(import.meta.dirname, '../..')
const seed = 20_261_124
const main = join(root, 'packages/cli/src/main.ts')
const broken = join(root, 'test/agent/broken-agent.ts')
const node = (...words: readonly string[]): string =>
  `exec "${process.execPath}" ${words.map((word) => `"${word}"`).join(' ')}`

const defaults = {
  agent: 'agent-under-test',
  environment: 'conformance',
  deployment: 'flight-delay',
  platformPort: 0,
  seed,
  patienceMs: 20_000,
  tell: () => {},
  explain: () => {},
} as const

async function kit(start: string, only: readonly string[] = [], more: Partial<KitOptions> = {}): Promise<Report> {
  return runKit({
    start,
    folder: await mkdtemp(join(tmpdir(), 'interlock-conformance-')),
    ...defaults,
    only,
    // Quick turns, so that the suite waits less; everything else is as it is shipped.
    environmentOfAgent: { INTERLOCK_TURN_MS: '50' },
    ...more,
  })
}
const failures = ({ results }: Report): string[] =>
  results.filter(({ outcome }) => outcome !== 'passed').map(({ sentence, detail }) => `${sentence}: ${detail}`)

describe.concurrent('the conformance kit', () => {
  test(`passes our own agent in every case, killed in every step (seed ${seed})`, { timeout: 240_000 }, async () => {
    const report = await kit(node(main, 'agent', 'run'))
    expect(failures(report)).toEqual([])
    expect(report.passed).toBe(allCases.length)
  })

  test(`passes the example that a team would write in every case (seed ${seed})`, { timeout: 240_000 }, async () => {
    const report = await kit(node(join(root, 'examples/agent/src/main.ts')))
    expect(failures(report)).toEqual([])
    expect(report.passed).toBe(allCases.length)
  })

  test.each<[Bug, string]>([
    ['takes-older-orders', 'an older revision that comes late has no effect'],
    ['without-compare-and-set', 'every change of this run named the version that was observed before it'],
    ['believes-its-memory', 'what another hand changed is brought back to what is desired'],
    ['forgets-at-a-restart', 'a rollback that it said to keep is carried out although it was killed at that moment'],
    ['without-audience', 'it does not take a command for another agent'],
    ['without-signature', 'it does not take an altered command under the old signature'],
    ['without-role', 'it does not take a command signed by the agent itself'],
    [
      'without-grants',
      'when a grant is over it gives no more exposure than there is, says "lapsed", and does what the grant says later',
    ],
    ['without-readiness', 'an artifact that is not ready is not activated; the reason is reported'],
  ])('finds the agent that is broken so: %s', { timeout: 120_000 }, async (bug, sentence) => {
    const report = await kit(node(broken, bug), [sentence], { patienceMs: 4_000 })
    expect(report.results.map(({ sentence, outcome }) => ({ sentence, outcome }))).toEqual([
      { sentence, outcome: 'failed' },
    ])
  })

  test('fails nothing of the same program without a bug', { timeout: 120_000 }, async () => {
    const report = await kit(node(broken), ['orders', 'signed by', 'for another'])
    expect(failures(report)).toEqual([])
    expect(report.passed).toBeGreaterThan(15)
  })

  test('reaches an agent by topics alone, and passes it in orders, forgeries and grants', {
    timeout: 240_000,
  }, async () => {
    const log = openSqliteLog({ folder: await mkdtemp(join(tmpdir(), 'interlock-conformance-log-')) })
    const stop = new AbortController()
    let ended: Promise<void> = Promise.resolve()
    const explain: KitOptions['explain'] = (environment) => {
      const start = async (): Promise<void> => {
        const setup = await setupFromEnvironment({ ...environment, INTERLOCK_TURN_MS: '50' })
        const platform = httpPlatform({
          observeUrl: `${environment.INTERLOCK_PLATFORM_URL}/state`,
          readyUrl: `${environment.INTERLOCK_PLATFORM_URL}/ready`,
          applyUrl: `${environment.INTERLOCK_PLATFORM_URL}/apply`,
          intent: fileIntent(join(setup.stateFolder, 'intent.json')),
        })
        const { kept: _, ...options } = await agentFromFiles(setup, platform, stop.signal)
        await runAgent({ ...options, log, tell: () => {}, ready: () => {} }, stop.signal)
      }
      ended = start()
    }
    const report = await runKit({
      ...defaults,
      folder: await mkdtemp(join(tmpdir(), 'interlock-conformance-')),
      channel: { ...(await topicChannel(log, defaults.deployment)), close: async () => {} },
      only: ['orders', 'forgeries', 'grants', 'facts'],
      explain,
    })
    stop.abort()
    await ended
    await log.close()
    expect(report.results.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    expect(report.passed).toBeGreaterThan(35)
    expect(report.results.filter(({ outcome }) => outcome === 'left-out').map(({ detail }) => detail)).toEqual([
      'the kit did not start this agent, so it cannot kill it: use --start',
    ])
  })

  test('as a command it prints a sentence a case, and ends with 1 when one failed', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'interlock-conformance-'))
    const run = async (start: string, ...options: readonly string[]): Promise<{ code: number; stdout: string }> => {
      const words = [main, ...options, 'agent', 'conformance', '--start', start, '--folder', folder, '--patience', '2']
      const only = ['--only', 'an older revision']
      try {
        const { stdout } = await promisify(execFile)(process.execPath, [...words, ...only], {
          env: { ...process.env, INTERLOCK_TURN_MS: '50', NO_COLOR: '1' },
        })
        return { code: 0, stdout }
      } catch (error) {
        return error as { code: number; stdout: string }
      }
    }
    const sound = await run(node(broken))
    expect(sound.code).toBe(0)
    expect(sound.stdout).toMatch(/^pass {2}an older revision that comes late has no effect/)
    const { code, stdout } = await run(node(broken, 'takes-older-orders'), '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      v: 1,
      passed: 0,
      failed: 1,
      results: [{ group: 'orders', outcome: 'failed', detail: expect.stringContaining('must be ignored') }],
    })
  })
})
