import { type Command, compareOrders } from '@interlock/contracts'
import type { Case } from '../case.ts'
import { alone, canary, type World } from '../world.ts'

const group = 'orders'

/** How many commands come at once. */
const burst = 200

/** The order law: the highest wins, whatever comes late, twice or in another order. */
export const orderCases: readonly Case[] = [
  {
    group,
    sentence: 'it carries out a command: the platform does what is desired, and "received" and "applied" are reported',
    async run(world) {
      await world.begin()
      const heard = world.facts.length
      const order = world.order(0, 2)
      await world.send(world.command(order, canary(0.05)), 'kept')
      await world.reaches(canary(0.05))
      for (const kind of ['received', 'applied'] as const)
        await world.hears(
          `${kind} ${order.join('.')}`,
          heard,
          (fact) => fact.kind === kind && String(fact.order) === String(order),
        )
    },
  },
  {
    group,
    sentence: 'the same command again changes nothing, and its last fact is sent once more',
    async run(world) {
      await world.begin()
      const command = world.command(world.order(0, 2), canary(0.05))
      await world.send(command, 'kept')
      await world.reaches(canary(0.05))
      await world.hears('applied', 0, (fact) => fact.kind === 'applied' && String(fact.order) === String(command.order))
      const heard = world.facts.length
      const changes = world.platform.changes.length
      await world.send(command, 'ignored')
      await world.hears(
        'the last fact once more',
        heard,
        (fact) => fact.kind === 'applied' && String(fact.order) === String(command.order),
      )
      await world.nothingHappens(changes, 'a command that came twice')
    },
  },
  ...outranked([
    ['an older revision that comes late has no effect', (world) => world.command(world.order(0, 3), canary(0.5))],
    [
      'a lower severity has no effect after a rollback, however high its revision',
      (world) => world.command(world.order(1, 999), canary(0.5)),
    ],
    [
      'an older generation has no effect, however high its restore epoch, severity and revision',
      (world) => {
        const [generation] = world.order(0, 0)
        return world.command([generation - 1, 999, 4, 999], canary(0.5))
      },
    ],
    [
      'of two different commands of one order the one that was kept stays',
      (world) => world.command(world.order(3, 5), canary(0.5)),
    ],
  ]),
  {
    group,
    sentence: 'a restore of a higher epoch outranks a rollback',
    async run(world) {
      await world.begin()
      await world.send(world.command(world.order(3, 2), alone), 'kept')
      await world.send(world.command(world.order(0, 3, 1), canary(0.1)), 'kept')
      await world.reaches(canary(0.1))
    },
  },
  {
    group,
    sentence: 'any order of arrival with repetitions ends in the state of the highest command',
    async run(world) {
      for (let round = 0; round < 3; round++) {
        await world.begin()
        const commands = [
          world.command(world.order(0, 2), canary(0.05)),
          world.command(world.order(0, 3), canary(0.2)),
          world.command(world.order(0, 4), { ...canary(0), shadow: true }),
          world.command(world.order(1, 5), canary(0.2)),
          world.command(world.order(2, 6), canary(0.02)),
          world.command(world.order(0, 9), canary(0.9)),
        ]
        for (const command of shuffled([...commands, ...commands], world.random)) await world.send(command)
        await likeAPublisher(world, commands)
        await world.reaches(canary(0.02))
        await world.turns()
        await world.reaches(canary(0.02))
      }
    },
  },
  {
    group,
    sentence: `${burst} commands at once end in the state of the highest, and none is refused`,
    async run(world) {
      await world.begin()
      const commands = Array.from({ length: burst }, (_, index) =>
        world.command(world.order(0, index + 2), canary((index + 1) / 1_000)),
      )
      const left = shuffled(commands, world.random)
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          for (let command = left.pop(); command !== undefined; command = left.pop()) await world.send(command)
        }),
      )
      await likeAPublisher(world, commands)
      await world.reaches(canary(burst / 1_000))
    },
  },
  {
    group,
    sentence: 'a rollback that comes while it is at work on a lower command is what the platform ends in',
    async run(world) {
      await world.begin()
      const held = world.platform.hold('apply', 'before')
      await world.send(world.command(world.order(0, 2), canary(0.5)), 'kept')
      await world.until('the agent asks its platform for the change', held.arrived)
      await world.send(world.command(world.order(3, 3), alone), 'kept')
      held.release('go-on')
      await world.until('the rollback is the last change', () => world.platform.changes.at(-1)?.wish.candidate === null)
      await world.turns()
      await world.reaches(alone)
    },
  },
  {
    group,
    sentence: 'every command of this run, sent once more, has no effect',
    async run(world) {
      await world.begin()
      await world.send(world.command(world.order(3, 9), alone), 'kept')
      const changes = world.platform.changes.length
      const all = [...world.sent]
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let signed = all.pop(); signed !== undefined; signed = all.pop()) await world.channel.send(signed)
        }),
      )
      await world.nothingHappens(changes, 'a replayed command')
    },
  },
]

/** On a compacted topic a lower command that landed last may be all that is left; publishers mend that. */
async function likeAPublisher(world: World, commands: readonly Command[]): Promise<void> {
  const [highest] = commands.toSorted((a, b) => compareOrders(b.order, a.order))
  if (world.channel.compacts && highest !== undefined) await world.send(highest)
}

function outranked(list: readonly (readonly [string, (world: World) => Command])[]): readonly Case[] {
  return list.map(([sentence, lower]) => ({
    group,
    sentence,
    async run(world) {
      await world.begin()
      await world.send(world.command(world.order(3, 5), alone), 'kept')
      await world.turns()
      const changes = world.platform.changes.length
      await world.send(lower(world), 'ignored')
      await world.nothingHappens(changes, 'a command that is not above the one that is kept')
    },
  }))
}

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list]
  for (let index = copy.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    ;[copy[index], copy[other]] = [copy[other] as T, copy[index] as T]
  }
  return copy
}
