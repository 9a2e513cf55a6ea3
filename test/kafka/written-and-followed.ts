import { setTimeout as sleep } from 'node:timers/promises'
import { type EventLog, LogUnavailable } from '@interlock/runtime'
import { expect } from 'vitest'

const betweenAppendsMs = 2
const progressWithinMs = 30_000

export interface Written {
  readonly acknowledged: number
  readonly unknown: number
  /** Longest time between two acknowledged appends. */
  readonly longestGapMs: number
}

/** One partition that is written and read all the time while things happen to its brokers. */
export interface WrittenAndFollowed {
  /** Waits until a hundred more appends were acknowledged. */
  goesOn(): Promise<void>
  /**
   * Ends it and checks what must hold whatever happened: each acknowledged record lies where the broker said; no record
   * lies there twice; none is there of which the writer was told that it is not; the reader saw the same, in order.
   */
  finish(): Promise<Written>
}

/** @param topic of one partition, empty */
export function writeAndFollow(log: EventLog, topic: string): WrittenAndFollowed {
  const acknowledged: { readonly offset: bigint; readonly text: string }[] = []
  const unknown: string[] = []
  const seen: string[] = []
  let longestGapMs = 0
  let isOn = true

  const write = async (): Promise<void> => {
    for (let n = 0, last = performance.now(); isOn; n++) {
      try {
        const answer = await log.append(topic, 0, { value: Buffer.from(`${n}`) })
        if (answer === 'unknown') unknown.push(`${n}`)
        else {
          acknowledged.push({ offset: answer.offset, text: `${n}` })
          longestGapMs = Math.max(longestGapMs, performance.now() - last)
          last = performance.now()
        }
      } catch (error) {
        expect(error).toBeInstanceOf(LogUnavailable)
      }
      await sleep(betweenAppendsMs)
    }
  }
  const follow = async (): Promise<void> => {
    for (let next = 0n; isOn; ) {
      try {
        const end = await log.wait(topic, 0, next, 500)
        for await (const { records } of log.read({ topic, partition: 0, from: next, to: end })) {
          for (const { offset, value } of records) {
            expect(offset).toBe(next)
            seen.push(String(value))
            next = offset + 1n
          }
        }
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error
      }
    }
  }
  const running = Promise.all([write(), follow()])
  running.catch(() => undefined) // whoever finishes it hears of it
  return {
    goesOn: async () => {
      const before = acknowledged.length
      await expect
        .poll(() => acknowledged.length, { timeout: progressWithinMs, interval: 50 })
        .toBeGreaterThan(before + 100)
    },
    finish: async () => {
      isOn = false
      await running
      const landed = new Map<bigint, string>()
      const { end } = await log.bounds(topic, 0)
      for await (const { records } of log.read({ topic, partition: 0, from: 0n, to: end })) {
        for (const { offset, value } of records) landed.set(offset, String(value))
      }
      expect(acknowledged.filter(({ offset, text }) => landed.get(offset) !== text)).toEqual([])
      const texts = [...landed.values()]
      expect(new Set(texts).size).toBe(texts.length)
      const known = new Set([...acknowledged.map(({ text }) => text), ...unknown])
      expect(texts.filter((text) => !known.has(text))).toEqual([])
      expect(seen).toEqual(texts.slice(0, seen.length))
      expect(seen.length).toBeGreaterThan(100)
      return { acknowledged: acknowledged.length, unknown: unknown.length, longestGapMs }
    },
  }
}
