import type { Shadow } from '@interlock/console'
import type { DisagreementOut } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { describeShadow } from './policy-shadow.ts'

const onTrial = { policy: 'b'.repeat(64), name: 'strict', since: 0, silent: [] } as unknown as NonNullable<
  Shadow['onTrial']
>
const inForce = { policy: 'a'.repeat(64), name: 'main' } as NonNullable<Shadow['inForce']>

function disagreement(change: Partial<DisagreementOut>): DisagreementOut {
  return { generation: 3, by: 'shadow', afterMs: null, rule: 'errors', text: 'It would.', ...change } as DisagreementOut
}

test('disagreements are counted and told oldest first, with the largest difference in time', () => {
  const disagreements = [
    disagreement({ at: 9_000, by: 'in-force', afterMs: 4_000, text: 'It did, 4 s later.' }),
    disagreement({ at: 5_000 }),
  ]
  const lines = describeShadow('flights', { onTrial, inForce, disagreements }).split('\n')
  expect(lines[0]).toMatch(/^flights: "strict" \(bbbbbbbb\) is on trial since .* beside "main" \(aaaaaaaa\)\.$/)
  expect(lines[1]).toMatch(
    /^They disagreed 2 times, first at .*\. Where both asked for the same, the one in force came up to 4 s later\.$/,
  )
  expect(lines.slice(2).map((line) => line.replace(/^\S+ {2}/, ''))).toEqual([
    'generation 3, rule errors: It would.',
    'generation 3, rule errors: It did, 4 s later.',
  ])
})

test('silence is not agreement: rules without data enough are named before it says that nothing differed', () => {
  const text = describeShadow('flights', {
    onTrial: { ...onTrial, silent: ['errors', 'slow'] },
    inForce,
    disagreements: [],
  })
  expect(text.split('\n').slice(1)).toEqual([
    'Not enough data yet for "errors", "slow": of them nothing is known.',
    'The two have not disagreed so far.',
  ])
})

test('after the trial its disagreements are still there', () => {
  const disagreements = [disagreement({ at: 5_000 })]
  expect(describeShadow('flights', { onTrial: null, inForce, disagreements })).toMatch(
    /^flights: no policy is on trial now\.\nThey disagreed once, first at /,
  )
})
