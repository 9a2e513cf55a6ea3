/** A team's emitter, a real registry, and a running `interlock up` that reads by it. */
import { Emitter } from '@interlock/client'
import { afterAll, expect, test } from 'vitest'
import { accountOf, deadLettersOf } from '../process/records.ts'
import { predictions } from '../process/small-deployment.ts'
import { watchedDeployment } from '../process/watched-deployment.ts'
import { anyRegistry, howToRun } from './registry.ts'

const registry = await anyRegistry()
afterAll(() => registry?.remove())

if (registry === null) {
  test('a registry could not be run', () => {
    expect(process.env.INTERLOCK_REQUIRE, howToRun).not.toBe('all')
  })
} else {
  test('Avro by the registry’s ids is counted, by Interlock’s own it is a dead letter, and doctor asks the registry', async () => {
    const toy = await watchedDeployment({ configuration: `registry: { url: "${registry.url}" }\n` })
    try {
      // Before it ours: a registry counts from 1 as well.
      const type = { type: 'record', name: 'Other', fields: [{ name: 'x', type: 'string' }] }
      await fetch(`${registry.direct}/subjects/other-${process.pid}/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ schema: JSON.stringify(type) }),
      })
      const connection = { url: toy.up.url, topic: 'predictions', kind: 'prediction', format: 'avro' } as const
      const token = await toy.up.token()
      const subject = `predictions-${process.pid}-value`
      const registered = new Emitter({ ...connection, token, registry: { url: registry.direct, subject } })
      const own = new Emitter({ ...connection, token })
      for (const event of predictions(20, 1, Date.now, 'registered')) registered.emit(event)
      for (const event of predictions(3, 2, Date.now, 'own')) own.emit(event)
      await Promise.all([registered.close(), own.close()])
      expect(registered.counts()).toMatchObject({ sent: 20, problem: null })
      expect(own.counts()).toMatchObject({ sent: 3 })
      const doctor = await toy.cli('--json', 'doctor')
      const { findings } = JSON.parse(doctor.stdout) as { findings: { check: string; state: string }[] }
      expect(findings.find(({ check }) => check === 'schema registry')).toMatchObject({ state: 'ok' })
      await expect
        .poll(
          async () => {
            // What came after its pane was closed stands beside the totals: on a busy machine that may be some.
            const { evidence } = await toy.page()
            return (evidence?.totals ?? []).reduce((sum, { rows }) => sum + rows, evidence?.late ?? 0)
          },
          { timeout: 30_000 },
        )
        .toBeGreaterThanOrEqual(toy.sent() + 20)
      const { code, log } = await toy.finish()
      expect(code).toBe(0)
      const account = await accountOf(log)
      expect(account.counted).toBe(toy.sent() + 20)
      expect(account.deadRows).toBe(3)
      // Its own id may by chance be one that the registry has: then the bytes do not fit the registry's schema.
      const reasons = (await deadLettersOf(log)).map(({ reason }) => reason)
      expect(reasons.filter((reason) => !['unknown-schema', 'malformed', 'wrong-type'].includes(reason))).toEqual([])
      await log.close()
    } finally {
      await toy.remove()
    }
  })
}
