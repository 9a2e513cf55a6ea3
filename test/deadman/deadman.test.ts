import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from '../process/interlock.ts'
import { type Guarded, guarded } from './guarded.ts'

/** docs/reliability.md F30: stalled without a crash; watcher, probe or pager down. On real processes. */
const promisedMs = 30_000

let it: Guarded
/** Its probe has no agent from the first verified round on. It waits for its next round while the others are tested. */
let agentless: Guarded
beforeAll(async () => {
  const [whole, other] = await Promise.all([
    guarded((config) => [main, 'up', '--json', '--config', config]),
    guarded((config) => [join(import.meta.dirname, 'up-child.ts'), config]),
  ])
  it = whole
  agentless = other
  agentless.up.kill('SIGUSR2')
}, 120_000)
afterAll(() => Promise.all([it?.remove(), agentless?.remove()]))

describe('an Interlock that stands still', () => {
  test('is paged within 30 s, once, and again when it goes on', async () => {
    expect(it.pages).toEqual([])
    const frozenAt = Date.now()
    it.up.kill('SIGSTOP')
    const page = await it.paged(({ kind }) => kind === 'open', 'it stands still')
    expect(page.heardAt - frozenAt).toBeLessThanOrEqual(promisedMs)
    expect(page.sentence).toContain('no sign of life from up; no progress in 4 shards')
    // The second watcher would have paged by now, had it not heard from the first that people know.
    await new Promise((later) => setTimeout(later, promisedMs - (Date.now() - frozenAt)))
    expect(new Set(it.pages.map(({ dedupeKey }) => dedupeKey)).size).toBe(1)
    it.up.kill('SIGCONT')
    const end = await it.paged(({ kind }) => kind === 'resolved', 'it goes on')
    expect(end.dedupeKey).toBe(page.dedupeKey)
    expect(it.up.exitCode).toBeNull()
  })

  test('and a watcher that was killed is paged by the other one', async () => {
    const killedAt = Date.now()
    it.watchers.get('watcher-a')!.kill('SIGKILL')
    const page = await it.paged(({ units }) => units.includes('component watcher-a'), 'watcher-a is silent')
    expect(page.heardAt - killedAt).toBeLessThanOrEqual(promisedMs)
    expect(page).toMatchObject({ watcher: 'watcher-b', status: 'firing' })
  })
})

test('a probe whose agent is dead is paged, although everything else moves', async () => {
  const page = await agentless.paged(({ units }) => units.includes('probe probe'), 'the probe is not verified')
  expect(page.sentence).toMatch(/the probe's rollback was not verified in time \(it waits for .+\)/)
  expect(page.units).toEqual(['probe probe'])
  const { stillSeconds } = await agentless.state('watcher-a')
  for (const unit of ['component up', 'shard governor/0', 'shard evaluator/0']) {
    expect(stillSeconds[unit], unit).toBeLessThan(10)
  }
})
