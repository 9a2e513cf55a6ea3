import { expect, test } from 'vitest'
import { keepStart, onsetOf, type Start } from './starts.ts'

function kept(panes: number, limit: number): readonly Start[] {
  let starts: readonly Start[] = []
  for (let pane = 0; pane < panes; pane++) starts = keepStart(starts, { at: pane * 10, sums: [pane] }, limit)
  return starts
}

test('at most the limit are kept: the first, the newest, and ages that grow by a ratio below 3', () => {
  for (const panes of [5, 50, 3000]) {
    const starts = kept(panes, 12)
    expect(starts.length).toBe(Math.min(panes, 12))
    expect(starts[0]?.at).toBe(0)
    expect(starts.at(-1)?.at).toBe((panes - 1) * 10)
    const ages = starts.map(({ at }) => panes * 10 - at)
    for (let i = 1; i < ages.length; i++) expect((ages[i - 1] as number) / (ages[i] as number)).toBeLessThan(3)
  }
})

test('the onset is the span of starts within 2 nats of the likeliest', () => {
  const starts = kept(10, 12)
  const ratios = [0, 1, 2, 8, 9.5, 9, 7.4, 3, 1, 0]
  const { onset, start } = onsetOf(starts, 10, (candidate) => ratios[candidate.sums[0] as number] as number)
  expect(onset).toEqual({ from: 30, to: 60 })
  expect(start?.at).toBe(40)
})

test('without two nats for a change no onset is named', () => {
  expect(onsetOf(kept(5, 12), 10, () => 1.9)).toEqual({ onset: null, start: null })
  expect(onsetOf([], 10, () => 9)).toEqual({ onset: null, start: null })
})

test('of starts that explain the data equally well the latest is taken', () => {
  const ratios = [0, 0, 9, 9, 9, 1]
  const { onset, start } = onsetOf(kept(6, 12), 10, ({ sums }) => ratios[sums[0] as number] as number)
  expect(start?.at).toBe(40)
  expect(onset).toEqual({ from: 20, to: 50 })
})

test('where the ratio is flat, the second likelihood tells the starts apart, and only within the span of the first', () => {
  const flat = [0, 9, 9, 9, 9, 1]
  const within = [99, 0, 1, 7, 6, 99]
  const seen: number[] = []
  const { onset, start } = onsetOf(
    kept(6, 12),
    10,
    ({ sums }) => flat[sums[0] as number] as number,
    ({ sums }, first) => {
      seen.push(first.at)
      return within[sums[0] as number] as number
    },
  )
  expect(start?.at).toBe(30)
  expect(onset).toEqual({ from: 30, to: 50 })
  expect(seen).toEqual([10, 10, 10, 10])
})
