import { type AgentId, type AlertOut, encodeOut, type Hash } from '@interlock/contracts'
import { SimulatedLog, Simulation } from '@interlock/runtime'
import { expect, test } from 'vitest'
import { runNotifier } from './main.ts'

test('a record that is no alert does not keep the alerts behind it waiting', async () => {
  const simulation = new Simulation()
  const servers = new SimulatedLog(simulation)
  for (const topic of ['alerts', 'facts']) servers.create(topic, { partitions: 1 })
  const alert: AlertOut = {
    kind: 'alert',
    id: 'd/1',
    deployment: 'd' as AlertOut['deployment'],
    at: 0,
    attention: 'act-now',
    sentence: 'It went back.',
    done: '',
    asked: '',
    decision: 'a'.repeat(64) as Hash,
    resolves: null,
  }
  for (const value of [Buffer.from([9, 9, 9]), Buffer.from([0, 255, 255, 255, 255]), encodeOut(alert).value]) {
    servers.land('alerts', 0, [{ value }])
  }
  const process = simulation.process('notifier')
  const delivered: string[] = []
  const told: string[] = []
  const stop = new AbortController()
  let saved = new Map<number, bigint>()
  const ended = runNotifier(
    {
      log: servers.handle(process),
      topics: { alerts: 'alerts', facts: 'facts' },
      clock: process.clock,
      environment: 'test',
      holder: 'notifier' as AgentId,
      sinks: [{ name: 'pager', deliver: async ({ id }) => void delivered.push(id) }],
      sign: () => Buffer.from('signed'),
      positions: {
        load: async () => saved,
        save: async (positions) => {
          saved = new Map(positions)
        },
      },
      tell: (message) => told.push(message),
    },
    stop.signal,
  )
  await simulation.run(process.clock.sleep(5_000), 6_000)
  expect(delivered).toEqual(['d/1'])
  expect(told).toHaveLength(2)
  expect(saved.get(0)).toBe(3n)
  stop.abort()
  await simulation.run(ended, 10_000)
})
