import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eventLogConformance } from './conformance.ts'
import { type AppendFate, SimulatedLog } from './simulated-log.ts'
import { Simulation } from './simulation.ts'

eventLogConformance('the simulated log', async () => {
  const simulation = new Simulation()
  const servers = new SimulatedLog(simulation)
  const process = simulation.process('one')
  let open = true
  // The suite awaits the log from outside the simulation, so virtual time is driven in the background.
  const driven = (async () => {
    while (open) if (!(await simulation.step())) await nextTurn()
  })()
  return {
    log: servers.handle(process),
    other: servers.handle(simulation.process('other')),
    trimHead: async (topic, partition) => servers.trim(topic, partition, 7n),
    close: async () => {
      open = false
      await driven
    },
  }
})

async function appendWith(fate: AppendFate) {
  const simulation = new Simulation()
  const servers = new SimulatedLog(simulation, { latencyMs: () => 1, fate: () => fate })
  servers.create('events', { partitions: 1 })
  const process = simulation.process('one')
  const log = servers.handle(process)
  const answer = await simulation.run(log.append('events', 0, { value: null }), 1_000)
  const landedThen = servers.partition('events', 0).end
  await simulation.run(process.clock.sleep(10_000), 20_000)
  return { answer, landedThen, landedAtLast: servers.partition('events', 0).end }
}

test('an append may land late, twice or never, and the answer does not tell', async () => {
  const late = await appendWith({ landAfterMs: [500], answerAfterMs: 10, answer: 'unknown' })
  expect(late).toEqual({ answer: 'unknown', landedThen: 0n, landedAtLast: 1n })
  const twice = await appendWith({ landAfterMs: [1, 5], answerAfterMs: 10, answer: 'unknown' })
  expect(twice).toEqual({ answer: 'unknown', landedThen: 2n, landedAtLast: 2n })
  const never = await appendWith({ landAfterMs: [], answerAfterMs: 10, answer: 'unknown' })
  expect(never).toEqual({ answer: 'unknown', landedThen: 0n, landedAtLast: 0n })
})

test('a paused process hears nothing until it is woken, and what it sent lands all the same', async () => {
  const simulation = new Simulation()
  const servers = new SimulatedLog(simulation)
  servers.create('events', { partitions: 1 })
  const process = simulation.process('one')
  let heardAt = 0
  const appending = servers
    .handle(process)
    .append('events', 0, { value: null })
    .then(() => {
      heardAt = simulation.now
    })
  process.pause()
  simulation.after(60_000, () => process.resume())
  const started = simulation.now
  await simulation.run(appending, 100_000)
  expect(heardAt - started).toBe(60_000)
  expect(servers.partition('events', 0).records[0]!.at - started).toBe(1)
})
