import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { loadFlights } from './data.ts'
import type { FlightRequest } from './features.ts'
import { startTraffic, type TrafficOptions } from './traffic.ts'

const days = { from: 90, to: 92 }
const flights = await loadFlights(days)

/** Replays until `stopAfterMs`, or to the end of the days it is given, and keeps what was sent. */
async function replay(options: Partial<TrafficOptions> & { stopAfterMs?: number }) {
  const sent: FlightRequest[] = []
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), options.stopAfterMs ?? 60_000)
  const done = await startTraffic({
    ...{ flights, days, rate: 1_000_000, seed: 1, report: () => undefined, signal: stop.signal },
    send: async (rows) => {
      sent.push(...rows)
    },
    ...options,
  }).done
  clearTimeout(timer)
  return { sent, done }
}

test('days come in order, each flight once, shuffled within its day, and after the last day the first comes again', async () => {
  const { sent } = await replay({ stopAfterDays: 3 })
  const names = sent.map(({ flight }) => flight - flights.firstRow)
  expect(names).toHaveLength(16_373 + 17_159 + 16_373)
  const sorted = (part: number[]) => [...part].sort((left, right) => left - right)
  expect(sorted(names.slice(0, 33_532))).toEqual(Array.from({ length: 33_532 }, (_, row) => row))
  expect(names.slice(0, 16_373).every((row) => row < 16_373)).toBe(true)
  expect(names.slice(0, 16_373)).not.toEqual(sorted(names.slice(0, 16_373)))
  expect(names.slice(33_532)).toEqual(names.slice(0, 16_373))
})

test('the rate is kept by the clock', async () => {
  const { done } = await replay({ rate: 2_000, stopAfterMs: 1_000 })
  expect(done.sent).toBeGreaterThan(1_700)
  expect(done.sent).toBeLessThan(2_200)
})

test('a slow router never has more than eight batches at once, and the time given up is counted', async () => {
  let atOnce = 0
  let most = 0
  const { done } = await replay({
    rate: 20_000,
    stopAfterMs: 1_600,
    send: async () => {
      most = Math.max(most, ++atOnce)
      await sleep(100)
      atOnce--
    },
  })
  expect(most).toBe(8)
  expect(done.skippedMs).toBeGreaterThan(900)
})

test('batches that fail are counted with their reason and the replay goes on', async () => {
  let batches = 0
  const send = async () => {
    if (++batches % 2 === 1) throw new Error('the router is gone')
  }
  const { done } = await replay({ stopAfterDays: 1, send })
  expect(done.sent + done.failed).toBe(16_373)
  expect(done.failed).toBeGreaterThan(8_000)
  expect(done.lastError).toBe('the router is gone')
})
