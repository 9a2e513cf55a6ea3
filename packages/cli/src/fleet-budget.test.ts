import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeploymentId } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { loadConfig } from './config.ts'
import { accountLine, fleetAccount, refuseOverspent } from './fleet-budget.ts'

async function fleetOf(fleet: string, watching: string) {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-fleet-'))
  await mkdir(join(folder, 'deployments'))
  const platform =
    '{ kind: http, observeUrl: "http://127.0.0.1:1/o", readyUrl: "http://127.0.0.1:1/r", applyUrl: "http://127.0.0.1:1/a" }'
  await writeFile(join(folder, 'interlock.yaml'), `${fleet}\nplatforms:\n  fares: ${platform}\n  fraud: ${platform}\n`)
  await writeFile(
    join(folder, 'policy.yaml'),
    `policy: p
class: low
stages: [{ share: 100% }]
budgets: { rollouts: 1 in 1000 rollouts, watching: ${watching} }
guardrails:
  errors: { signal: errors, against: stable, role: gate, tolerate: 20%, safe: 50%, action: roll back, protects: people }
  silence: { signal: volume, against: history, action: hold, protects: people }
`,
  )
  for (const [name, weight] of [
    ['fares', 1],
    ['fraud', 3],
  ] as const) {
    await writeFile(
      join(folder, 'deployments', `${name}.yaml`),
      `deployment: ${name}
owner: a
onCall: a
approver: b
riskClass: low
stable: toy@v1
manifest: m.json
baseline: b.json
policy: ../policy.yaml
weight: ${weight}
`,
    )
  }
  return loadConfig(join(folder, 'interlock.yaml'), {})
}

test('without a stated budget nothing is asked', async () => {
  expect(fleetAccount(await fleetOf('', '1 false alarm in 90 days'))).toBeNull()
})

test('what is stated, given out and left is told, and two policies within it are taken', async () => {
  const account = fleetAccount(
    await fleetOf('fleet: { falseRollbacksPerYear: 1, falseHoldsPerYear: 8 }', '1 false alarm in 365 days'),
  )
  expect(accountLine(account!)).toBe(
    'false rollbacks 1 a year stated, 0.1 given out, 0.9 left; false holds 8 a year stated, 4 given out, 4 left',
  )
  expect(() => refuseOverspent(account)).not.toThrow()
})

test('a policy beyond its part is refused with the sum, the part and the remedy, and a heavier one may spend as much', async () => {
  const config = await fleetOf('fleet: { falseRollbacksPerYear: 1, falseHoldsPerYear: 12 }', '1 false alarm in 90 days')
  const account = fleetAccount(config)
  expect(() => refuseOverspent(account)).toThrow(
    "fares: its policy may hold 8.1 times a year by mistake, and its part of the fleet's budget is 3. Make the policy's budgets 2.8 times stricter, or raise its weight or fleet.falseHoldsPerYear.",
  )
  expect(() => refuseOverspent(account, 'fraud' as DeploymentId)).not.toThrow()
  expect(() => refuseOverspent(account, 'strange' as DeploymentId)).toThrow(/has no file beside it/)
})
