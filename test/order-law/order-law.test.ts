/**
 * The order law (docs/reliability.md S3, S15, F23): whatever parameterised commands were issued, in whatever order they arrive,
 * how often, and whichever of them never arrive but the highest: the platform ends in one state, that of the highest order.
 */
import { memoryPlatform, Reconciler, satisfies } from '@interlock/agent'
import { type Command, compareOrders, type DeploymentId, type Fact, type Observed } from '@interlock/contracts'
import { revised } from '@interlock/deployment'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { acts, commandsOf, first } from './history.ts'

const seed = 15
console.log(`order law: seed ${seed}`)

/** A platform that the agents of a test share, and the orders that took effect on it, in time. */
function world() {
  const inner = memoryPlatform({
    generation: 0,
    stable: first,
    candidate: null,
    share: 0,
    shadow: false,
    fallback: false,
  })
  const effects: Command['order'][] = []
  const platform: typeof inner = {
    ...inner,
    async apply(desired, command, signed, ifVersion) {
      const outcome = await inner.apply(desired, command, signed, ifVersion)
      if (outcome === 'applied') effects.push(command.order)
      return outcome
    },
  }
  const facts: Fact[] = []
  const agent = (): Reconciler =>
    new Reconciler({
      deployment: 'd' as DeploymentId,
      platform,
      monotonic: () => 0,
      report: async (fact) => void facts.push(fact),
      observeEveryMs: 1_000,
      readinessEveryMs: 1_000,
    })
  return { platform, effects, facts, agent }
}

interface Taker {
  take(received: { readonly command: Command; readonly signed: Uint8Array }, live: boolean): Promise<unknown>
  turn(): Promise<void>
}

const signed = new Uint8Array()

/** Delivers, with a turn of the agent after those arrivals that `turns` names, and lets it come to rest. */
async function deliver(agent: Taker, arrivals: readonly Command[], turns: readonly boolean[]): Promise<void> {
  for (const [index, command] of arrivals.entries()) {
    await agent.take({ command, signed }, true)
    if (turns[index % turns.length] === true) await agent.turn()
  }
  await rest(agent)
}

async function rest(agent: Taker): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await agent.turn()
}

function stateOf({ version: _, order: __, ...state }: Observed): Omit<Observed, 'version' | 'order'> {
  return state
}

function highestOf(commands: readonly Command[]): Command {
  return commands.reduce((most, one) => (compareOrders(one.order, most.order) > 0 ? one : most))
}

const lives = acts.map(commandsOf).filter((commands) => commands.length > 0)

/** A life and how it reaches an agent: each command none to three times, the highest at least once, in any order. */
const arrivals = lives.chain((commands) =>
  fc
    .tuple(
      fc.array(fc.nat({ max: 3 }), { minLength: commands.length, maxLength: commands.length }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }),
      fc.array(fc.nat(), { minLength: 3 * commands.length, maxLength: 3 * commands.length }),
    )
    .map(([copies, turns, keys]) => {
      const highest = highestOf(commands)
      const all = commands.flatMap((command, index) =>
        Array.from({ length: Math.max(copies[index] ?? 1, command === highest ? 1 : 0) }, () => command),
      )
      const shuffled = all
        .map((command, index) => ({ command, key: keys[index % keys.length] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ command }) => command)
      return { commands, arrived: shuffled, turns }
    }),
)

test('no two commands of a life share an order, and each stands above all that were issued before it', () => {
  fc.assert(
    fc.property(lives, (commands) => {
      for (const [index, command] of commands.entries()) {
        const before = commands[index - 1]
        if (before !== undefined) expect(compareOrders(command.order, before.order)).toBeGreaterThan(0)
      }
    }),
    { seed, numRuns: 1_000 },
  )
})

test('any permutation, duplication and loss of all but the highest ends in one state, and no lower order takes effect', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, async ({ commands, arrived, turns }) => {
      const straight = world()
      await deliver(straight.agent(), commands, [true])
      const story = world()
      await deliver(story.agent(), arrived, turns)
      const end = await story.platform.observe()
      expect(stateOf(end)).toEqual(stateOf(await straight.platform.observe()))
      const highest = highestOf(commands)
      expect(satisfies(end, highest.desired, highest.order[0])).toBe(true)
      for (const [index, order] of story.effects.entries()) {
        const before = story.effects[index - 1]
        if (before !== undefined) expect(compareOrders(order, before)).toBeGreaterThan(0)
      }
      expect(story.facts.findLast(({ kind }) => kind === 'applied')).toMatchObject({ order: highest.order })
    }),
    { seed, numRuns: 1_500 },
  )
}, 30_000)

test('an agent that was restarted at any moments, and is then renewed, ends in the same state', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }), async (given, restarts) => {
      const { commands, arrived, turns } = given
      const highest = highestOf(commands)
      const renewal: Command = { ...highest, order: revised(highest.order) }
      const straight = world()
      await deliver(straight.agent(), [...commands, renewal], [true])
      const story = world()
      let agent = story.agent()
      for (const [index, command] of arrived.entries()) {
        if (restarts[index % restarts.length] === true) {
          agent = story.agent()
          // What is on the topic by then, from before its start.
          for (const old of arrived.slice(0, index)) await agent.take({ command: old, signed }, false)
        }
        await agent.take({ command, signed }, true)
        if (turns[index % turns.length] === true) await agent.turn()
      }
      await deliver(agent, [renewal], [true])
      expect(stateOf(await story.platform.observe())).toEqual(stateOf(await straight.platform.observe()))
    }),
    { seed, numRuns: 500 },
  )
}, 30_000)

test('two agents that hear the commands in different orders come to rest in the same state', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, fc.array(fc.boolean(), { minLength: 3, maxLength: 11 }), async (given, turn) => {
      const { commands, arrived, turns } = given
      const straight = world()
      await deliver(straight.agent(), commands, [true])
      const story = world()
      const [one, other] = [story.agent(), story.agent()]
      const reversed = arrived.toReversed()
      for (const [index, command] of arrived.entries()) {
        await one.take({ command, signed }, true)
        await other.take({ command: reversed[index] as Command, signed }, true)
        const moves = [turns[index % turns.length] === true, turn[index % turn.length] === true]
        await Promise.all([one, other].filter((_, which) => moves[which]).map((agent) => agent.turn()))
      }
      for (let round = 0; round < 3; round++) await Promise.all([one.turn(), other.turn()])
      expect(stateOf(await story.platform.observe())).toEqual(stateOf(await straight.platform.observe()))
    }),
    { seed, numRuns: 500 },
  )
}, 30_000)

test('every order of arrival of one rollout, its stages, a renewal, a ramp step, a rollback and its retarget: one end', async () => {
  const commands = commandsOf([
    { kind: 'rollout', to: 1 },
    { kind: 'promote', share: 3 },
    { kind: 'renew' },
    { kind: 'ramp-step', share: 2 },
    { kind: 'roll-back', to: 2 },
    { kind: 'retarget', to: 3 },
  ])
  expect(commands).toHaveLength(6)
  const ends = new Set<string>()
  for (const arrived of permutations(commands)) {
    const story = world()
    await deliver(story.agent(), arrived, [true])
    ends.add(JSON.stringify(stateOf(await story.platform.observe())))
  }
  expect(ends.size).toBe(1)
})

test('a generation that the agent never heard of is adopted, and what comes late from the one before is ignored', async () => {
  const commands = commandsOf([
    { kind: 'rollout', to: 1 },
    { kind: 'promote', share: 4 },
    { kind: 'roll-back', to: 2 },
    { kind: 'rollout', to: 3 },
    { kind: 'promote', share: 1 },
  ])
  const [, , rollback, , newest] = commands as [Command, Command, Command, Command, Command]
  const story = world()
  const agent = story.agent()
  await deliver(agent, [newest, rollback], [true])
  expect(agent.order).toEqual(newest.order)
  expect(await story.platform.observe()).toMatchObject({ generation: 2, share: 0.01 })
  // Of a governor that lost its count of revisions: the generation decides.
  const adopted: Command = { ...rollback, order: [7, 0, 0, 1] }
  await deliver(agent, [adopted, newest], [true])
  expect(agent.order).toEqual(adopted.order)
  expect(await story.platform.observe()).toMatchObject({ generation: 7 })
})

test('an agent that keeps the last command instead of the highest breaks the law: the check can fail', async () => {
  class KeepsTheLast implements Taker {
    readonly #make: () => Reconciler
    #agent: Reconciler
    constructor(make: () => Reconciler) {
      this.#make = make
      this.#agent = make()
    }
    take(received: Parameters<Taker['take']>[0], live: boolean): Promise<unknown> {
      this.#agent = this.#make()
      return this.#agent.take(received, live)
    }
    turn(): Promise<void> {
      return this.#agent.turn()
    }
  }
  const found = await fc.check(
    fc.asyncProperty(arrivals, async ({ commands, arrived, turns }) => {
      const story = world()
      await deliver(new KeepsTheLast(story.agent), arrived, turns)
      const highest = highestOf(commands)
      return satisfies(await story.platform.observe(), highest.desired, highest.order[0])
    }),
    { seed, numRuns: 200 },
  )
  expect(found.failed).toBe(true)
})

function permutations<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length <= 1) return [items]
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  )
}
