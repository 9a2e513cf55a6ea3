import type { Command } from '@interlock/contracts'
import type { Case } from '../case.ts'
import { alone, canary, NotConform } from '../world.ts'

const group = 'grants'

/** Short, so that a run need not wait long; agents count in milliseconds. */
const grantMs = 1_500

/** The first step asks for more than there is: an agent whose grant is over must never give it. */
const grant: Command['grant'] = {
  ms: grantMs,
  onLapse: [
    { afterMs: 0, desired: canary(1) },
    { afterMs: 2 * grantMs, desired: alone },
  ],
}

/** When the governor falls silent: exposure is granted for a time only. */
export const grantCases: readonly Case[] = [
  {
    group,
    sentence:
      'when a grant is over it gives no more exposure than there is, says "lapsed", and does what the grant says later',
    async run(world) {
      await world.begin()
      const heard = world.facts.length
      const order = world.order(0, 2)
      await world.send(world.command(order, canary(0.05), { grant }), 'kept')
      await world.reaches(canary(0.05))
      await world.hears(
        `lapsed ${order.join('.')}`,
        heard,
        (fact) => fact.kind === 'lapsed' && String(fact.order) === String(order),
      )
      const more = [...world.platform.history.values()].find(
        ({ share, generation }) => generation === order[0] && share > 0.05,
      )
      if (more !== undefined) throw new NotConform(`after the lapse the candidate got a share of ${more.share}`)
      await world.reaches(alone)
    },
  },
  {
    group,
    sentence: 'a renewal (a newer revision, the same desired state) lets the grant run anew',
    async run(world) {
      await world.begin()
      const heard = world.facts.length
      const until = performance.now() + 3 * grantMs
      for (let revision = 2; performance.now() < until; revision++) {
        await world.send(world.command(world.order(0, revision), canary(0.05), { grant }), 'kept')
        await new Promise((resolve) => setTimeout(resolve, grantMs / 4))
        await world.hear()
        if (world.facts.slice(heard).some(({ kind }) => kind === 'lapsed'))
          throw new NotConform('the grant lapsed though it was renewed in time')
      }
      await world.reaches(canary(0.05))
    },
  },
  {
    group,
    sentence: 'after a lapse a renewal gives the exposure back',
    async run(world) {
      await world.begin()
      await world.send(world.command(world.order(0, 2), canary(0.05), { grant }), 'kept')
      await world.reaches(canary(0.05))
      await world.until(
        'the lapsed candidate is taken away',
        () => world.does(alone),
        world.options.patienceMs + 3 * grantMs,
      )
      await world.send(world.command(world.order(0, 3), canary(0.05), { grant }), 'kept')
      await world.reaches(canary(0.05))
    },
  },
  {
    group,
    needs: 'process',
    sentence:
      'after a restart a granted command gives no exposure that the platform does not have, until it is renewed',
    async run(world) {
      await world.begin()
      const long = { ms: 600_000, onLapse: [{ afterMs: 0, desired: canary(1) }] }
      await world.send(world.command(world.order(0, 2), canary(0.2), { grant: long }), 'kept')
      await world.reaches(canary(0.2))
      await world.restart(() => world.platform.interfere({ candidate: null, share: 0 }))
      await world.turns()
      if (world.platform.state.share > 0)
        throw new NotConform(
          `after a restart the candidate has a share of ${world.platform.state.share} by an old grant`,
        )
      await world.send(world.command(world.order(0, 3), canary(0.2), { grant: long }), 'kept')
      await world.reaches(canary(0.2))
    },
  },
]
