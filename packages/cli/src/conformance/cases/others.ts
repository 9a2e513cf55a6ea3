import { setTimeout as sleep } from 'node:timers/promises'
import type { Case } from '../case.ts'
import { alone, canary, NotConform } from '../world.ts'

/** Reports are what the governor knows of an agent: signed, true, and regular also without a command. */
export const factCases: readonly Case[] = [
  {
    group: 'facts',
    sentence: 'it reports what it observes and which artifacts are ready, also without a command',
    async run(world) {
      await world.hear()
      const heard = world.facts.length
      await world.hears('observed', heard, (fact) => fact.kind === 'observed')
      await world.hears(
        'observed once more',
        heard,
        () => world.facts.slice(heard).filter((fact) => fact.kind === 'observed').length > 1,
      )
      await world.hears('readiness', heard, (fact) => fact.kind === 'readiness' && fact.ready.ok)
    },
  },
  {
    group: 'facts',
    sentence: 'every fact of this run is signed by its key, and about this deployment and environment',
    async run(world) {
      await world.hear()
      if (world.badFacts.length > 0) throw new NotConform(world.badFacts.slice(0, 3).join('; '))
      if (world.facts.length === 0) throw new NotConform('there is no fact at all')
    },
  },
  {
    group: 'facts',
    sentence: 'every state that it reported in this run is one that the platform had, under that version',
    async run(world) {
      await world.hear()
      for (const fact of world.facts) {
        if (!('observed' in fact)) continue
        const { version, ...state } = fact.observed
        const had = world.platform.history.get(version.replaceAll('"', ''))
        if (had === undefined || JSON.stringify(sorted(had)) !== JSON.stringify(sorted(state)))
          throw new NotConform(`"${fact.kind}" reports ${JSON.stringify(fact.observed)}, which the platform never was`)
      }
    },
  },
]

function sorted(state: object): unknown {
  return Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Revocation: a stolen key must be worth nothing within a minute. */
export const keyCases: readonly Case[] = [
  {
    group: 'keys',
    sentence: 'a governor’s key that is taken out of the keyset is refused within 60 s, and its successor obeyed',
    async run(world) {
      await world.begin()
      const { governor, successor } = world.keys
      await world.keys.writeKeyset([successor])
      world.governor = successor
      let revision = 2
      await world.until(
        'the new key is obeyed',
        async () => {
          const signed = world.sign(world.command(world.order(0, revision++), canary(0.01 + revision / 1_000)))
          return (await world.channel.send(signed)).outcome !== 'refused' && world.platform.state.candidate !== null
        },
        60_000,
      )
      const changes = world.platform.changes.length
      await world.throwAt(
        world.sign(world.command(world.order(0, 900), canary(0.9)), governor),
        'a command of the revoked key',
      )
      await world.turns()
      const last = world.platform.changes.slice(changes).find(({ wish }) => wish.share > 0.8)
      if (last !== undefined) throw new NotConform('a command of the revoked key had an effect')
    },
  },
  {
    group: 'keys',
    sentence: 'an older keyset that is put back does not bring a revoked key back',
    async run(world) {
      await world.begin()
      await world.keys.putBack()
      // Long enough for an agent that reloads every few seconds to fall for it.
      await sleep(6_000)
      await world.throwAt(
        world.sign(world.command(world.order(0, 5), canary(0.9)), world.keys.governor),
        'a command of the revoked key',
      )
      await world.send(world.command(world.order(0, 3), canary(0.04)), 'kept')
      await world.reaches(canary(0.04))
      await world.keys.writeKeyset([world.keys.successor])
    },
  },
]

/** The second path itself. */
export const endpointCases: readonly Case[] = [
  {
    group: 'endpoint',
    needs: 'endpoint',
    sentence: 'its endpoint names what is there: 404 for other addresses, 405 for other methods, 413 above 64 KiB',
    async run(world) {
      const at = (path: string, init: RequestInit = {}): Promise<number> =>
        fetch(new URL(path, world.channel.name), { ...init, signal: AbortSignal.timeout(10_000) }).then(
          ({ status }) => status,
        )
      const wanted: readonly (readonly [string, Promise<number>, number])[] = [
        ['GET /v1/nothing', at('/v1/nothing'), 404],
        ['GET /v1/commands', at('/v1/commands'), 405],
        ['65,537 bytes', at('/v1/commands', { method: 'POST', body: Buffer.alloc(65_537, 0x20) }), 413],
        ['two bytes', at('/v1/commands', { method: 'POST', body: '{}' }), 422],
      ]
      for (const [what, status, right] of wanted) {
        if ((await status) !== right)
          throw new NotConform(`${what} is answered with ${await status}, and must be with ${right}`)
      }
    },
  },
  {
    group: 'endpoint',
    needs: 'endpoint',
    sentence: 'a command that trickles in over three seconds is taken, and a rollback meanwhile does not wait for it',
    async run(world) {
      await world.begin()
      const signed = world.sign(world.command(world.order(0, 2), canary(0.2)))
      const slowly = { method: 'POST', duplex: 'half', body: trickle(signed, 3_000) }
      const slow = fetch(new URL('/v1/commands', world.channel.name), slowly)
      await sleep(500)
      await world.send(world.command(world.order(3, 3), alone), 'kept')
      const answer = (await (await slow).json()) as { outcome?: unknown }
      if (answer.outcome !== 'ignored')
        throw new NotConform(`the slow command was outranked meanwhile, and is answered ${JSON.stringify(answer)}`)
      await world.turns()
      await world.reaches(alone)
    },
  },
]

function trickle(bytes: Uint8Array, ms: number): ReadableStream<Uint8Array> {
  const parts = 10
  const partBytes = Math.ceil(bytes.length / parts)
  let at = 0
  return new ReadableStream({
    async pull(stream) {
      if (at >= bytes.length) return stream.close()
      stream.enqueue(bytes.subarray(at, at + partBytes))
      at += partBytes
      await sleep(ms / parts)
    },
  })
}
