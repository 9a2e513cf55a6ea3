/**
 * Every service as processes on a real broker, killed, frozen, cut off and sent away while a bad candidate is rolled out; then
 * all is recounted from the raw events and compared byte for byte (docs/reliability.md F1, F2, F5–F8, F13, F14).
 */
import { expect, test } from 'vitest'
import { howToRun } from '../kafka/broker.ts'
import { quickChaos } from './quick.ts'
import { chaos } from './run.ts'
import { howToRunToxiproxy } from './toxiproxy.ts'

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))

test(`after ten kills and every other fault nothing is lost or doubled, and every byte is that of a recount (seed ${seed})`, async () => {
  const verdict = await chaos(quickChaos(seed))
  if (verdict === null) {
    expect(process.env.INTERLOCK_REQUIRE, `${howToRun}\n${howToRunToxiproxy}`).not.toBe('all')
    return
  }
  const { problems, figures } = verdict
  console.info(JSON.stringify(figures))
  expect(problems).toEqual([])
  // Nothing compared would be nothing shown.
  expect(figures.faults).toMatchObject({ kill: 10, freeze: 3, leave: 1, broker: 1, toxic: 1, cut: 1 })
  expect(figures.rowsInLog).toBeGreaterThanOrEqual(20_000)
  expect(figures.voidEntries).toBeGreaterThan(0)
  expect(figures.panes).toBeGreaterThan(40)
  expect(figures.entriesReplayed).toBeGreaterThan(500)
  expect(figures.acts.changesOfPlatforms).toBeGreaterThanOrEqual(4)
}, 400_000)
