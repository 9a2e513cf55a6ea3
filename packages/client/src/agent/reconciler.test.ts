import type { Command, DeploymentId, Desired, Fact, Hash, Order } from '@interlock/contracts'
import { compareOrders, sha256 } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryPlatform } from './memory-platform.ts'
import { Reconciler, type VerifiedCommand } from './reconciler.ts'

const v1 = sha256('v1')
const v2 = sha256('v2')
const before = { generation: 1, stable: v1, candidate: null, share: 0, shadow: false, fallback: false }

function canary(share: number): Desired {
  return { target: v1, candidate: v2, shareMax: share, shadow: false, pace: 'at-once', fallback: false }
}
const rolledBack: Desired = {
  target: v1,
  candidate: null,
  shareMax: 0,
  shadow: false,
  pace: 'at-once',
  fallback: false,
}

function command(order: Order, desired: Desired, grant: Command['grant'] = null): VerifiedCommand {
  const body: Command = {
    v: 1,
    environment: 'test',
    audience: 'agent-1' as Command['audience'],
    deployment: 'd' as DeploymentId,
    issuedAt: 0,
    order,
    desired,
    grant,
    because: sha256('decision'),
    policy: sha256('policy'),
  }
  return { command: body, signed: new TextEncoder().encode(JSON.stringify(body)) }
}

function agentOn(platform: ReturnType<typeof memoryPlatform>) {
  const facts: Fact[] = []
  const clock = { now: 0 }
  const reconciler = new Reconciler({
    deployment: 'd' as DeploymentId,
    platform,
    monotonic: () => clock.now,
    report: async (fact) => {
      facts.push(fact)
    },
    observeEveryMs: 1e12,
    readinessEveryMs: 1e12,
  })
  return { reconciler, facts, clock }
}

test('any order and repetition of parameterised commands ends in the state of the highest one', async () => {
  const commands = [
    command([2, 0, 0, 1], canary(0.05)),
    command([2, 0, 0, 2], canary(0.2)),
    command([2, 0, 0, 3], canary(0.2)),
    command([2, 0, 3, 4], rolledBack),
    command([2, 0, 0, 5], canary(0.5)),
    command([1, 0, 3, 9], { ...rolledBack, target: v2 }),
  ]
  const highest = commands.toSorted((a, b) => compareOrders(b.command.order, a.command.order))[0] as VerifiedCommand
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([...commands, ...commands], { minLength: 6 }), async (arrival) => {
      const platform = memoryPlatform(before)
      const { reconciler } = agentOn(platform)
      for (const one of [...arrival, highest]) {
        await reconciler.take(one, true)
        await reconciler.turn()
      }
      const end = await platform.observe()
      expect(end.generation).toBe(2)
      expect([end.stable, end.candidate, end.share]).toEqual([v1, null, 0])
    }),
    { numRuns: 200, seed: 7 },
  )
})

test('a command that was applied is not applied again when it comes again, and its fact is repeated', async () => {
  const platform = memoryPlatform(before)
  const { reconciler, facts } = agentOn(platform)
  const once = command([2, 0, 0, 1], canary(0.05))
  await reconciler.take(once, true)
  await reconciler.turn()
  await reconciler.take(once, true)
  await reconciler.turn()
  expect(platform.changes).toHaveLength(1)
  const about = facts.map((fact) => fact.kind).filter((kind) => kind === 'received' || kind === 'applied')
  expect(about).toEqual(['received', 'applied', 'applied'])
})

test('a flood of commands that were seen before makes the agent repeat its last fact once a second, not once each', async () => {
  const { reconciler, facts, clock } = agentOn(memoryPlatform(before))
  const once = command([2, 0, 0, 1], canary(0.05))
  await reconciler.take(once, true)
  await reconciler.turn()
  const repeated = facts.length
  for (let second = 0; second < 3; second++) {
    for (let i = 0; i < 100; i++) await reconciler.take(once, true)
    clock.now += 1_000
  }
  expect(facts.slice(repeated).map(({ kind }) => kind)).toEqual(['applied', 'applied', 'applied'])
})

test('a rollback whose target is damaged is not applied: the agent says which check failed', async () => {
  const platform = memoryPlatform({ ...before, candidate: v2, share: 0.2, generation: 2 })
  platform.broken.add(v1)
  const { reconciler, facts } = agentOn(platform)
  await reconciler.take(command([2, 0, 3, 4], rolledBack), true)
  await reconciler.turn()
  expect(platform.changes).toHaveLength(0)
  expect(facts.find((fact) => fact.kind === 'failed')).toMatchObject({
    reason: expect.stringContaining('digest (bytes differ)'),
  })
})

test('two agents of one platform never undo each other: the one that lost the compare-and-set sees the newer state', async () => {
  const platform = memoryPlatform(before)
  const one = agentOn(platform)
  const other = agentOn(platform)
  const observe = platform.observe
  let interrupted = false
  await one.reconciler.take(command([2, 0, 0, 1], canary(0.05)), true)
  await other.reconciler.take(command([2, 0, 3, 2], rolledBack), true)
  // The other agent acts between this one's observation and its write.
  platform.observe = async () => {
    const seen = await observe()
    if (!interrupted) {
      interrupted = true
      await other.reconciler.turn()
    }
    return seen
  }
  await one.reconciler.take(command([2, 0, 3, 2], rolledBack), true)
  await one.reconciler.turn()
  expect((await observe()).candidate).toBeNull()
  expect(platform.changes).toHaveLength(1)
})

const grant: Command['grant'] = {
  ms: 30_000,
  onLapse: [
    { afterMs: 0, desired: canary(1) },
    { afterMs: 300_000, desired: rolledBack },
  ],
}

test('when its grant lapses the agent holds the share it has, never more, and rolls back alone when the policy says so', async () => {
  const platform = memoryPlatform(before)
  const { reconciler, facts, clock } = agentOn(platform)
  await reconciler.take(command([2, 0, 0, 1], canary(0.05), grant), true)
  await reconciler.turn()
  clock.now = 30_001
  await reconciler.turn()
  expect((await platform.observe()).share).toBe(0.05)
  expect(facts.at(-1)).toMatchObject({ kind: 'lapsed', order: [2, 0, 0, 1] })
  clock.now = 330_001
  await reconciler.turn()
  expect(await platform.observe()).toMatchObject({ candidate: null, share: 0 })
})

test('a renewal is a newer revision with the same desired state: the grant runs anew', async () => {
  const platform = memoryPlatform(before)
  const { reconciler, facts, clock } = agentOn(platform)
  await reconciler.take(command([2, 0, 0, 1], canary(0.05), grant), true)
  await reconciler.turn()
  clock.now = 20_000
  await reconciler.take(command([2, 0, 0, 2], canary(0.05), grant), true)
  clock.now = 45_000
  await reconciler.turn()
  expect(facts.some((fact) => fact.kind === 'lapsed')).toBe(false)
  expect(facts.at(-1)).toMatchObject({ kind: 'applied', order: [2, 0, 0, 2] })
})

test('after a restart the command found on the topic gives no exposure that the platform does not have, until it is renewed', async () => {
  const platform = memoryPlatform(before)
  const { reconciler } = agentOn(platform)
  await reconciler.take(command([2, 0, 0, 1], canary(0.2), grant), false)
  await reconciler.turn()
  expect((await platform.observe()).share).toBe(0)
  await reconciler.take(command([2, 0, 0, 2], canary(0.2), grant), true)
  await reconciler.turn()
  expect((await platform.observe()).share).toBe(0.2)
})

test('after a restart a rollback found on the topic is carried out: the newest command alone is enough', async () => {
  const platform = memoryPlatform({ ...before, generation: 2, candidate: v2 as Hash, share: 0.2 })
  const { reconciler, facts } = agentOn(platform)
  await reconciler.take(command([2, 0, 3, 7], rolledBack), false)
  await reconciler.turn()
  expect(await platform.observe()).toMatchObject({ candidate: null, share: 0 })
  expect(facts.some((fact) => fact.kind === 'applied')).toBe(true)
})

test('a lower command whose artifact is still being checked when a rollback comes is not applied any more', async () => {
  const platform = memoryPlatform({ ...before, generation: 2 })
  const { reconciler, facts } = agentOn(platform)
  const ready = platform.ready
  platform.ready = async (target) => {
    platform.ready = ready
    await reconciler.take(command([2, 0, 3, 2], rolledBack), true)
    return ready(target)
  }
  await reconciler.take(command([2, 0, 0, 1], canary(0.5)), true)
  await reconciler.turn()
  expect(platform.changes).toEqual([])
  await reconciler.turn()
  expect(facts.at(-1)).toMatchObject({ kind: 'applied', order: [2, 0, 3, 2] })
})

test.each(['applied', 'refused'])(
  'what became of a lower command (%s) is not kept as the fact of the higher one that came meanwhile',
  async (became) => {
    const platform = memoryPlatform(before)
    const { reconciler, facts } = agentOn(platform)
    const apply = platform.apply
    platform.apply = async (...change) => {
      platform.apply = apply
      const outcome = became === 'applied' ? await apply(...change) : { refused: 'no' }
      await reconciler.take(command([2, 0, 3, 2], rolledBack), true)
      return outcome
    }
    await reconciler.take(command([2, 0, 0, 1], canary(0.5)), true)
    await reconciler.turn()
    expect(facts.filter(({ kind }) => kind === 'applied' || kind === 'failed')).toEqual([])
    await reconciler.turn()
    expect(facts.filter(({ kind }) => kind === 'applied')).toMatchObject([{ order: [2, 0, 3, 2] }])
  },
)

test('an agent that is cut off does not undo what another one did, and says which order the platform follows', async () => {
  const platform = memoryPlatform(before)
  const cutOff = agentOn(platform)
  const live = agentOn(platform)
  for (const { reconciler } of [cutOff, live]) await reconciler.take(command([2, 0, 0, 1], canary(0.2)), true)
  await live.reconciler.turn()
  await live.reconciler.take(command([2, 0, 3, 2], rolledBack), true)
  await live.reconciler.turn()
  const changes = platform.changes.length
  cutOff.clock.now = 2e12
  await cutOff.reconciler.turn()
  expect(platform.changes).toHaveLength(changes)
  expect(await platform.observe()).toMatchObject({ share: 0, candidate: null, order: [2, 0, 3, 2] })
  expect(cutOff.facts).toContainEqual(expect.objectContaining({ kind: 'observed', order: [2, 0, 3, 2] }))
  // A higher one that reaches it is its own again.
  await cutOff.reconciler.take(command([3, 0, 0, 3], canary(0.05)), true)
  await cutOff.reconciler.turn()
  expect(await platform.observe()).toMatchObject({ share: 0.05, order: [3, 0, 0, 3] })
})
