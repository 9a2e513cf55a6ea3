import { errors, type Family, feature, missing } from './families.ts'
import { type ChangeOf, compare, type Measured, type Scale } from './measure.ts'

/** Faults that are easy to miss, each as a family and a change of it. */
const faults: readonly (readonly [title: string, family: Family, change: Omit<ChangeOf, 'name'>])[] = [
  [
    'a feature shifts by two deviations in 5 % of the rows',
    partOf({ ...feature, id: 'feature-part', rows: 1_000 }, 0.05),
    { size: 2, course: 'abrupt' },
  ],
  [
    'errors × 5 at an airport of 1 % of 10,000 requests a pane, seen in its slice',
    { ...errors, id: 'airport-slice' },
    { size: 4, course: 'abrupt' },
  ],
  [
    'the same airport, seen in the whole alone',
    partOf({ ...errors, id: 'airport-whole', rows: 10_000 }, 0.01),
    { size: 4, course: 'abrupt' },
  ],
  [
    'null rate creeps from 0.5 to 1.5 % in 50 panes of 1,000 rows (four hours of five minutes)',
    { ...missing, id: 'creeping-nulls' },
    { size: 2, course: 'incremental' },
  ],
]

/** A family of which only a part of the rows changes. */
function partOf(family: Family, part: number): Family {
  const usual = family.shares(0)
  return {
    ...family,
    shares: (size) => family.shares(size).map((share, cell) => part * share + (1 - part) * usual[cell]!),
  }
}

export function subtleFaults(run: number, scale: Scale): readonly (Measured & { readonly title: string })[] {
  return faults.flatMap(([title, family, change]) =>
    compare(family, run, [{ name: title, ...change }], scale).map((row) => ({ ...row, title })),
  )
}

/** The rates of the acceptance threshold (8): 1 % to 1.5, 2 and 5 %, from a fresh and from a warm chart. */
export function errorRateChanges(): readonly ChangeOf[] {
  return ([1.5, 2, 5] as const).flatMap((factor) => [
    { name: `1 → ${factor} %, fresh`, size: factor - 1, course: 'abrupt' as const, healthy: [0, 0] as const },
    { name: `1 → ${factor} %, warm`, size: factor - 1, course: 'abrupt' as const },
  ])
}
