import type { Fact, Order } from '@interlock/contracts'
import type { Case } from '../case.ts'
import { alone, canary, inWords, NotConform, type World } from '../world.ts'

const group = 'platform'

/** How slowly the platform answers in the case about that. */
const slowMs = 3_000

function about(kind: Fact['kind'], order: Order): (fact: Fact) => boolean {
  return (fact) => fact.kind === kind && 'order' in fact && String(fact.order) === String(order)
}

/** While the platform misbehaves nothing is changed and the reason is reported; afterwards the command is carried out. */
function obstructed(sentence: string, misbehave: (world: World) => void, mayTry: boolean): Case {
  return {
    group,
    sentence,
    async run(world) {
      await world.begin()
      const heard = world.facts.length
      const changes = world.platform.changes.length
      const order = world.order(0, 2)
      misbehave(world)
      await world.send(world.command(order, canary(0.05)), 'kept')
      await world.hears(`failed ${order.join('.')} with a reason`, heard, (fact) => {
        return about('failed', order)(fact) && fact.kind === 'failed' && fact.reason.trim() !== ''
      })
      if (!mayTry) await world.nothingHappens(changes, 'a command whose artifact is not ready')
      if (world.facts.slice(heard).some(about('applied', order)))
        throw new NotConform('it reports "applied" and the platform has not changed')
      world.platform.behave()
      await world.reaches(canary(0.05))
      await world.hears(`applied ${order.join('.')}`, heard, about('applied', order))
    },
  }
}

/** What an agent does on platforms that are slow, refuse, conflict or lie. */
export const platformCases: readonly Case[] = [
  {
    group,
    sentence: 'it loses no command to a compare-and-set that it lost, and observes again before it tries again',
    async run(world) {
      await world.begin()
      const before = world.platform.changes.length
      world.platform.behaviour.interferences = 4
      await world.send(world.command(world.order(3, 2), { ...alone, fallback: true }), 'kept')
      await world.reaches({ ...alone, fallback: true })
      const blind = world.platform.changes.slice(before).find((change) => change.observedSince === 0)
      if (blind !== undefined)
        throw new NotConform(`it asked for ${inWords(blind.wish)} without having observed since its last try`)
    },
  },
  {
    group,
    sentence: 'what another hand changed is brought back to what is desired',
    async run(world) {
      await world.begin()
      await world.send(world.command(world.order(0, 2), canary(0.05)), 'kept')
      await world.reaches(canary(0.05))
      world.platform.interfere({ share: 0.6 })
      await world.reaches(canary(0.05))
    },
  },
  obstructed(
    'a refusal of the platform is reported as "failed" with a reason, and tried again',
    (world) => {
      world.platform.behaviour.apply = 'refuse'
    },
    true,
  ),
  obstructed(
    'an artifact that is not ready is not activated; the reason is reported',
    (world) => {
      world.platform.behaviour.ready = 'no'
    },
    false,
  ),
  obstructed(
    '"ready" without a single check is not ready',
    (world) => {
      world.platform.behaviour.ready = 'without-checks'
    },
    false,
  ),
  obstructed(
    '"ready" beside a check that failed is not ready',
    (world) => {
      world.platform.behaviour.ready = 'yes-with-a-failed-check'
    },
    false,
  ),
  {
    group,
    sentence: 'a platform that says yes and does nothing is reported as "progress", never as "applied"',
    async run(world) {
      await world.begin()
      const heard = world.facts.length
      const order = world.order(0, 2)
      world.platform.behaviour.apply = 'pretend'
      await world.send(world.command(order, canary(0.05)), 'kept')
      await world.hears(`progress ${order.join('.')} with what is observed`, heard, about('progress', order))
      await world.turns()
      await world.hear()
      if (world.facts.slice(heard).some(about('applied', order)))
        throw new NotConform('it reports "applied", and the platform still does the old')
      world.platform.behave()
      await world.reaches(canary(0.05))
      await world.hears(`applied ${order.join('.')}`, heard, about('applied', order))
    },
  },
  {
    group,
    sentence: `a platform that takes ${slowMs / 1_000} s for an answer keeps it neither from taking a rollback nor from carrying it out`,
    async run(world) {
      await world.begin()
      await world.send(world.command(world.order(0, 2), canary(0.05)), 'kept')
      await world.reaches(canary(0.05))
      world.platform.behaviour.observeDelayMs = slowMs
      const startedAt = performance.now()
      await world.send(world.command(world.order(3, 3), alone), 'kept')
      const took = performance.now() - startedAt
      if (took > slowMs) throw new NotConform(`it answered the command after ${Math.round(took)} ms only`)
      await world.until(
        'the slow platform is rolled back',
        () => world.does(alone),
        4 * slowMs + world.options.patienceMs,
      )
    },
  },
  ...(['garbage', 'down'] as const).map(
    (observe): Case => ({
      group,
      sentence:
        observe === 'garbage'
          ? 'an observed state that lacks fields is no state: nothing is changed by guess'
          : 'a platform that is away is asked again until it is back, and changed by nothing that was remembered',
      async run(world) {
        await world.begin()
        const changes = world.platform.changes.length
        world.platform.behaviour.observe = observe
        // A turn that observed before that may still be at work.
        await world.turns()
        await world.send(world.command(world.order(0, 2), canary(0.05)), 'kept')
        await world.nothingHappens(changes, 'a command while the platform cannot be observed')
        world.platform.behave()
        await world.reaches(canary(0.05))
      },
    }),
  ),
]

/** Looks at all changes of the run. */
export const honestyCase: Case = {
  group,
  sentence: 'every change of this run named the version that was observed before it',
  async run(world) {
    const blind = world.platform.changes.find(({ outcome }) => outcome === 'no-if-match')
    if (blind !== undefined)
      throw new NotConform(`it asked for ${inWords(blind.wish)} without If-Match: that is no compare-and-set`)
    const made = world.platform.changes.find(
      ({ ifMatch }) => !world.platform.history.has((ifMatch ?? '').replaceAll('"', '')),
    )
    if (made !== undefined) throw new NotConform(`it named version ${made.ifMatch}, which the platform never had`)
    if (world.platform.changes.length === 0) throw new NotConform('it changed nothing in the whole run')
  },
}
