import type { Case } from '../case.ts'
import type { Call, Moment } from '../platform.ts'
import { alone, canary, NotConform } from '../world.ts'

const group = 'crashes'

const calls: readonly Call[] = ['observe', 'ready', 'apply']
const moments: readonly Moment[] = ['before', 'inside', 'after']
const words = {
  before: 'before the platform has done anything about it',
  inside: 'after the platform has done it, before it answers',
  after: 'right after the platform has answered',
}

/** kill -9 in every step of a turn; the stand-in platform holds the call, so that the kill lands where it should. */
export const crashCases: readonly Case[] = [
  ...calls.flatMap((call) =>
    moments.map(
      (moment): Case => ({
        group,
        needs: 'process',
        sentence: `killed in \`${call}\` ${words[moment]}, it finishes after a restart, changes once and says so`,
        async run(world) {
          await world.begin()
          const before = world.platform.changes.length
          const order = world.order(0, 3)
          const held = world.platform.hold(call, moment)
          await world.send(world.command(order, canary(0.2)))
          await world.until(`the agent calls \`${call}\``, held.arrived)
          const heard = world.facts.length
          await world.restart(() => held.release('drop'))
          await world.reaches(canary(0.2))
          await world.hears(
            `applied ${order.join('.')}`,
            heard,
            (fact) => fact.kind === 'applied' && String(fact.order) === String(order),
          )
          const done = world.platform.changes.slice(before).filter(({ outcome }) => outcome === 'done').length
          if (done !== 1) throw new NotConform(`the platform was changed ${done} times for one command`)
          const changes = world.platform.changes.length
          await world.send(world.command(world.order(0, 2), canary(0.9)), 'ignored')
          await world.nothingHappens(changes, 'a command that was outranked before the crash')
        },
      }),
    ),
  ),
  {
    group,
    needs: 'process',
    sentence: 'a change that was under way when it was killed, and lands after its restart, is not made twice',
    async run(world) {
      await world.begin()
      const before = world.platform.changes.length
      const held = world.platform.hold('apply', 'before')
      await world.send(world.command(world.order(0, 2), canary(0.2)))
      await world.until('the agent calls `apply`', held.arrived)
      await world.restart()
      await world.reaches(canary(0.2))
      held.release('go-on')
      await world.turns()
      await world.reaches(canary(0.2))
      const done = world.platform.changes.slice(before).filter(({ outcome }) => outcome === 'done').length
      if (done !== 1) throw new NotConform(`the platform was changed ${done} times for one command`)
    },
  },
  {
    group,
    needs: 'process',
    sentence: 'a rollback that it said to keep is carried out although it was killed at that moment',
    async run(world) {
      await world.begin()
      await world.send(world.command(world.order(0, 2), canary(0.2)), 'kept')
      await world.reaches(canary(0.2))
      // Its turns are stopped, so that the rollback can not have been carried out when the kill comes.
      const held = world.platform.hold('observe', 'before')
      await world.until('the agent calls `observe`', held.arrived)
      await world.send(world.command(world.order(3, 3), alone), 'kept')
      await world.restart(() => held.release('drop'))
      await world.reaches(alone)
      const changes = world.platform.changes.length
      await world.send(world.command(world.order(0, 2), canary(0.2)), 'ignored')
      await world.nothingHappens(changes, 'a command that was outranked before the crash')
    },
  },
  {
    group,
    needs: 'process',
    sentence: 'what changed while it was away is seen after its start: nothing is applied from memory',
    async run(world) {
      await world.begin()
      await world.send(world.command(world.order(0, 2), canary(0.2)), 'kept')
      await world.reaches(canary(0.2))
      const before = world.platform.changes.length
      await world.restart(() => world.platform.interfere({ share: 0.4 }))
      await world.reaches(canary(0.2))
      const wrong = world.platform.changes.slice(before).find(({ outcome }) => outcome !== 'done')
      if (wrong !== undefined) throw new NotConform(`its first change after the start met ${wrong.outcome}`)
    },
  },
]
