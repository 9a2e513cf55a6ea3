import { expect, test } from 'vitest'
import { ours } from './charts.ts'
import { families } from './families.ts'

test('every detector that a family names is there, takes its panes, and sees a gross change better than none', () => {
  for (const family of families) {
    for (const id of family.detectors) {
      const last = (size: number): number => {
        const chart = ours(family, id, 1)!.start(1)
        const pane = (at: number): Float64Array =>
          Float64Array.from(family.shares(at), (share) => Math.round(share * family.rows))
        for (let healthy = 0; healthy < 40; healthy++) chart.step(pane(0))
        let seen = 0
        for (let changed = 0; changed < 20; changed++) seen = chart.step(pane(size))
        return seen
      }
      expect(last(family.most), `${family.id} ${id}`).toBeGreaterThan(last(0) + 5)
    }
  }
})
