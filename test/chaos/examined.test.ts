/** The examiner must be able to find what it is for. */
import type { DeploymentId, Hash, VersionId } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { inOrderAndOnce } from './acts.ts'
import { type Counted, differences } from './recount.ts'

function counted(rows: number, bin: number, dead: readonly string[] = ['events/0/7/0 malformed']): Counted {
  const of = {
    kind: 'counts',
    deployment: 'toy' as DeploymentId,
    generation: 0,
    version: 'toy@v1' as VersionId,
    variant: 'stable',
    pane: 1_000,
    spec: 'a'.repeat(64) as Hash,
  } as const
  const slices = new Map([['producer\0east', Float64Array.of(rows, 0, bin)]])
  return { cells: new Map([['toy 0 toy@v1 stable 1000', { of, rows, slices }]]), dead: [...dead], taken: rows + 1 }
}

test('a row too much, one count in another bin, a missing pane and a dead letter said twice are each found', () => {
  expect(differences(counted(5, 2), counted(5, 2))).toEqual([])
  expect(differences(counted(6, 2), counted(5, 2)).join()).toContain('6 rows counted, 5 again')
  expect(differences(counted(5, 3), counted(5, 2))).toEqual([expect.stringContaining('the counts differ')])
  const nothing: Counted = { cells: new Map(), dead: ['events/0/7/0 malformed'], taken: 6 }
  expect(differences(nothing, counted(5, 2)).join()).toContain('no rows counted, 5 again')
  const twice = counted(5, 2, ['events/0/7/0 malformed', 'events/0/7/0 malformed'])
  expect(differences(twice, counted(5, 2))).toEqual([expect.stringContaining('dead letters')])
})

test('a platform that was told a state twice, out of turn or not to its end is found; one that skipped a state is not', () => {
  const ordered = ['1 v1 nobody 0', '1 v1 v2 0.5', '1 v1 nobody 0']
  expect(inOrderAndOnce('toy', ordered, ordered)).toEqual([])
  expect(inOrderAndOnce('toy', ordered, ['1 v1 v2 0.5', '1 v1 nobody 0'])).toEqual([])
  expect(inOrderAndOnce('toy', ordered, ['1 v1 v2 0.5', '1 v1 v2 0.5', '1 v1 nobody 0'])).toHaveLength(1)
  expect(inOrderAndOnce('toy', ordered, ['1 v1 v2 0.5'])).toEqual([expect.stringContaining('stands at')])
})
