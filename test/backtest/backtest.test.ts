/**
 * A simulated world's record, made again under other policies: nothing differs under the same one, and each generation that the
 * record began is judged by itself, whatever became of those before.
 */
import { contentHash, type DeploymentId, type Policy, type Processor } from '@interlock/contracts'
import type { GenerationVerdict } from '@interlock/deployment'
import { check } from '@interlock/policy'
import { beforeAll, expect, test } from 'vitest'
import { type Backtested, compareCourses } from '../../packages/cli/src/backtest/compare.ts'
import { describeBacktest } from '../../packages/cli/src/backtest/describe.ts'
import { deployments, manifestOf, paces, policySource, versionOf } from '../simulation/cast.ts'
import { deploymentShards, processor } from '../simulation/parts.ts'
import { World } from '../simulation/world.ts'

const seed = 3
const pace = paces.calm
const [ant, bee, cow] = deployments as readonly [DeploymentId, DeploymentId, DeploymentId]
const world = new World(seed, pace)

/** So long after it was asked for it falls sick, in the midst of its rollout. */
const sickAfterMs = 35_000
/** Half of its answers are errors, and they are not. */
const sick = { errors: 0.5, shift: 0 }

beforeAll(async () => {
  await world.done(world.people.introduce())
  for (const deployment of [bee, cow]) world.people.live(deployment)
  await restoredStory()
  await world.pass(10 * 60_000)
  world.people.stop()
  for (const traffic of world.traffics) traffic.stop()
  await world.pass(6 * pace.paneMs)
  expect(world.violations, `seed ${seed}`).toEqual([])
}, 240_000)

/** `ant`: a version falls sick and is rolled back; it recovers, two people restore it, and it comes through. */
async function restoredStory(): Promise<void> {
  const version = versionOf(ant, 2)
  const traffic = world.traffics.find(({ deployment }) => deployment === ant)
  const phase = async (wanted: string): Promise<void> => {
    for (let tries = 0; world.stateOf(ant)?.view.phase !== wanted; tries++) {
      if (tries > 200) throw new Error(`"${wanted}" does not come; it is ${world.stateOf(ant)?.view.phase}`)
      await world.pass(5_000)
    }
  }
  await world.pass(60_000)
  traffic?.ailments.set(version, { from: world.simulation.now + sickAfterMs, health: sick })
  await world.done(
    world.people.ask('ada', ant, {
      kind: 'rollout',
      deployment: ant,
      candidate: version,
      manifest: contentHash(manifestOf(version)),
      policy: world.people.policyHash,
    }),
  )
  await phase('rolled-back')
  traffic?.ailments.delete(version)
  for (const person of ['cho', 'dan']) {
    await world.done(world.people.ask(person, ant, { kind: 'restore', deployment: ant, reason: 'it has recovered' }))
  }
  await phase('rolling-out')
  await phase('steady')
}

const source = policySource(pace)
/** Sees what the recorded one sees, and does nothing about it. */
const watching = source.replaceAll(/(rows: \d+, action:) roll back/g, '$1 watch')
/** The same rules by other names. */
const renamed = source.replaceAll(/\b(errors|inputs):/g, '$1-again:')

async function backtest(deployment: DeploymentId, text: string, backMs = Number.POSITIVE_INFINITY) {
  const { policy, problems } = check(text, 'policy')
  expect(problems).toEqual([])
  const shards = ['evaluator', 'governor', 'fleet'].flatMap((name) =>
    Array.from({ length: name === 'fleet' ? 1 : deploymentShards }, (_, shard) => {
      return { shard, processor: processor(name, (one) => one as Processor<unknown>) }
    }),
  )
  const log = world.servers.handle(world.simulation.process('observer'))
  const replaced = [{ document: world.people.policy, supposed: policy as Policy }]
  const compared = await world.done(compareCourses({ log, shards, deployment, replaced, backMs }))
  if (compared === undefined) throw new Error('the world was over before the backtest')
  return { ...compared.found, words: describeBacktest(compared.found, compared.answersBetween) }
}

const marksOf = ({ supposed }: Backtested): readonly string[] => supposed.marks.map(({ mark }) => mark)

test('the same policy differs in no byte, over all of the record and over its last ten minutes', async () => {
  for (const [deployment, backMs] of [[ant], [bee], [cow, 600_000]] as const) {
    const same = await backtest(deployment, source, backMs)
    expect(same.entries).toBeGreaterThan(500)
    expect(same.differing).toBe(0)
    expect(same.generations.filter(({ parting }) => parting !== null)).toEqual([])
    expect(same.supposed).toEqual(same.recorded)
  }
})

test('a stop that two people undid is a false one; a policy without it goes into the next generation as the record does', async () => {
  const other = await backtest(ant, watching)
  expect(other.verdicts.map(({ because }) => because)).toEqual(['serves-on', 'restored', 'serves-on'])
  expect(other.recorded.tally).toMatchObject({ falseStops: 1, notStopped: 2, missed: 0 })
  expect(other.supposed.tally).toMatchObject({ falseStops: 0, notStopped: 3, missed: 0, notBegun: 0 })
  // Behind the parting in generation 1, generation 2 is made again from its very beginning.
  expect(other.generations.map(({ parting }) => parting === null)).toEqual([true, false, true])
  expect(other.generations[2]?.alike).toBeGreaterThan(3)
  expect(other.words).toContain('healthy: two people restored it')
  expect(other.words).toMatch(/recorded +0 +1 .*\n.*supposed +0 +0 /)
})

test('every generation that the record began is begun, and what the record knows to be harmful is missed', async () => {
  for (const deployment of [bee, cow]) {
    const { verdicts, ...other } = await backtest(deployment, watching)
    expect(verdicts.length).toBeGreaterThan(3)
    expect(marksOf({ verdicts, ...other })).not.toContain('not-begun')
    const harmful = ({ truth }: GenerationVerdict): boolean => truth === 'harmful'
    expect(other.supposed.tally.missed).toBe(verdicts.filter(harmful).length)
    expect(other.supposed.tally.trueStops).toBe(0)
  }
})

test('from a time on: what ended before is left out, and a generation that runs then is judged by the other rules', async () => {
  const all = await backtest(ant, source)
  const { begunAt, endedAt } = all.verdicts[1] as Record<'begunAt' | 'endedAt', number>
  const part = await backtest(ant, renamed, all.to - begunAt)
  // Idle entries came while the record was read: it is counted back from the newest one.
  expect(part.from).toBeGreaterThan(begunAt)
  expect(part.from).toBeLessThan(endedAt)
  expect(part.entries).toBeLessThan(all.entries)
  expect(part.verdicts.map(({ generation }) => generation)).toEqual([1, 2])
  expect(part.recorded.marks[0]?.stop?.rule).toBe('errors')
  // Watched by the other rules before it fell sick, so the onset is the same.
  const { delayMs } = part.recorded.marks[0] ?? {}
  expect(part.supposed.marks[0]).toMatchObject({ mark: 'false-stop', stop: { rule: 'errors-again' }, delayMs })
  const later = await backtest(ant, watching, all.to - endedAt)
  expect(later.verdicts.map(({ generation }) => generation)).toEqual([2])
  expect(later.generations.filter(({ parting }) => parting !== null)).toEqual([])
})
