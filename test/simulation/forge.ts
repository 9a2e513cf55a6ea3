import { type Command, type FactRecord, shardOf, signFact, topics } from '@interlock/contracts'
import { agentName, deployments, environment, signerNamed } from './cast.ts'
import { hostileCommand, hostileFact, hostileRequest } from './hostile.ts'
import { deploymentShards } from './parts.ts'
import type { Chance } from './streams.ts'
import type { World } from './world.ts'

/** Somebody writes to requests, facts or commands what is not honest. */
export function forge(world: World, chance: Chance): void {
  const at = chance.of(deployments)
  const shard = shardOf(at, deploymentShards)
  const key = Buffer.from(at)
  const { highest, issued } = world.decisions.about(at)
  const dice = chance.below(4)
  if (dice === 0) {
    const { value, headers } = hostileRequest(chance, at, `forged-${chance.random()}`)
    world.servers.land(topics.requests, shard, [{ key, value, headers }])
  } else if (dice === 1) {
    // The same envelope at another moment, or where it does not belong.
    const envelope = world.people.envelopes.at(-1 - chance.below(20))
    if (envelope === undefined) return
    const to = chance.is(0.7) ? envelope.shard : 1 - envelope.shard
    world.servers.land(topics.requests, to, [{ key: Buffer.from(envelope.deployment), value: envelope.value }])
  } else if (highest !== null) {
    const real: Command | undefined = issued.get(highest.join('.'))?.command
    if (real === undefined) return
    const { value, headers } = dice === 2 ? hostileFact(chance, at, highest) : hostileCommand(chance, real)
    world.servers.land(dice === 2 ? topics.facts : topics.commands, shard, [{ key, value, headers }])
  }
}

/** The agent tells of an order that its governor never gave: as after a record that was lost and built anew. */
export function unknownOrder(world: World, chance: Chance): boolean {
  const at = chance.of(deployments)
  const { highest } = world.decisions.about(at)
  if (highest === null) return false
  const [generation, epoch, severity, revision] = highest
  const fact: FactRecord = {
    v: 1,
    environment,
    deployment: at,
    by: agentName,
    fact: { kind: 'received', order: [generation, epoch, severity, revision + 1 + chance.below(3)] },
  }
  world.adopted.add(at)
  const value = world.posted(signFact(fact, signerNamed(agentName)), fact)
  world.servers.land(topics.facts, shardOf(at, deploymentShards), [{ key: Buffer.from(at), value }])
  return true
}
