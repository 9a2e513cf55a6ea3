import { publicKeys } from '@interlock/cli'
import {
  type Command,
  compareOrders,
  type DecisionOut,
  type FactRecord,
  type Order,
  topics,
  verifyFact,
} from '@interlock/contracts'
import { orderHeader } from '@interlock/runtime'
import type { RouterState } from '../process/stand-in-router.ts'
import { entriesOf, recordsOf } from './recount.ts'
import type { Stage } from './stage.ts'

export interface Acts {
  readonly figures: {
    /** Candidates that broke the policy. */
    readonly breaches: number
    readonly commands: number
    /** Renewals and repetitions left aside: whole states that were ordered one after the other. */
    readonly statesOrdered: number
    readonly changesOfPlatforms: number
    readonly facts: number
    readonly decisions: Readonly<Record<string, number>>
  }
}

/**
 * What was decided, ordered, done and said: one rollback for each breach, verified; each platform went through the ordered
 * states in order, and through each once; the highest order of each deployment stands last for whoever reads only that.
 */
export async function actsOf(stage: Stage, problems: string[]): Promise<Acts> {
  const { log, deployments, candidates, config } = stage
  const decisions: DecisionOut[] = []
  const commands: Command[] = []
  for await (const { outs } of entriesOf(log, 'governor')) {
    for (const out of outs) {
      if (out.kind === 'decision') decisions.push(out)
      if (out.kind === 'command') commands.push(out.command)
    }
  }
  const facts = await factsOf(stage, (await publicKeys(config)).keyset.keys, problems)
  const last = await lastOrders(stage)
  let statesOrdered = 0
  let changes = 0
  for (const [deployment, router] of deployments) {
    const own = commands.filter((command) => command.deployment === deployment)
    const ordered = distinct(own.map(stateOf))
    statesOrdered += ordered.length
    changes += router.told.length
    problems.push(...inOrderAndOnce(deployment, ordered, router.told.map(sayState)))
    const highest = own.reduce<Order | null>(
      (top, { order }) => (top && compareOrders(top, order) > 0 ? top : order),
      null,
    )
    if (highest?.join('.') !== last.get(deployment)) {
      problems.push(
        `${deployment}: ${highest?.join('.')} is the highest order, ${last.get(deployment)} lies last on the topic`,
      )
    }
    for (const [index] of candidates.entries()) {
      const generation = index + 1
      const of = decisions.filter((one) => one.deployment === deployment && one.generation === generation)
      const rolledBack = of.filter(({ outcome }) => outcome === 'rolled-back')
      if (rolledBack.length !== 1 || rolledBack[0]?.evidence === null) {
        problems.push(
          `${deployment} generation ${generation}: ${rolledBack.length} rollbacks by evidence, where one is due`,
        )
      }
      const back = own.filter(({ order }) => order[0] === generation && order[2] === 3)
      const isApplied = facts.some(
        ({ deployment: whose, fact }) =>
          whose === deployment &&
          fact.kind === 'applied' &&
          back.some(({ order }) => compareOrders(order, fact.order) === 0),
      )
      if (!isApplied)
        problems.push(`${deployment} generation ${generation}: no agent says that the rollback was applied`)
    }
  }
  const outcomes: Record<string, number> = {}
  for (const { outcome } of decisions) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  return {
    figures: {
      breaches: deployments.size * candidates.length,
      commands: commands.length,
      statesOrdered,
      changesOfPlatforms: changes,
      facts: facts.length,
      decisions: outcomes,
    },
  }
}

/** Facts whose signature is right; any other is a problem. */
async function factsOf(
  { log }: Stage,
  keys: Parameters<typeof verifyFact>[1],
  problems: string[],
): Promise<readonly FactRecord[]> {
  const facts: FactRecord[] = []
  const partitions = await log.partitions(topics.facts)
  for (let partition = 0; partition < partitions; partition++) {
    for await (const { value, offset } of recordsOf(log, topics.facts, partition)) {
      const verified = verifyFact(value ?? Buffer.alloc(0), keys)
      if (verified.ok) facts.push(verified.value)
      else problems.push(`fact ${partition}/${offset}: ${verified.reason}`)
    }
  }
  return facts
}

/** Order of each deployment's newest record on the commands topic. */
async function lastOrders({ log }: Stage): Promise<ReadonlyMap<string, string>> {
  const last = new Map<string, string>()
  const partitions = await log.partitions(topics.commands)
  for (let partition = 0; partition < partitions; partition++) {
    for await (const { key, headers } of recordsOf(log, topics.commands, partition)) {
      last.set(Buffer.from(key ?? []).toString('utf8'), headers[orderHeader] ?? 'none')
    }
  }
  return last
}

/** A state may be skipped when a higher order came before the agent; none may be told twice or out of turn. */
export function inOrderAndOnce(
  deployment: string,
  ordered: readonly string[],
  told: readonly string[],
): readonly string[] {
  const problems: string[] = []
  let at = 0
  for (const state of told) {
    const found = ordered.indexOf(state, at)
    if (found < 0) problems.push(`${deployment}: the platform was told "${state}" out of turn, or twice`)
    else at = found + 1
  }
  if (told.at(-1) !== ordered.at(-1))
    problems.push(`${deployment}: the platform stands at "${told.at(-1)}", ordered is "${ordered.at(-1)}"`)
  return problems
}

function stateOf({ order, desired }: Command): string {
  const { target, candidate, shareMax, shadow, fallback } = desired
  return sayState({ generation: order[0], stable: target, candidate, share: shareMax, shadow, fallback })
}

function sayState({ generation, stable, candidate, share, shadow, fallback }: RouterState): string {
  const flags = `${shadow ? ' shadow' : ''}${fallback ? ' fallback' : ''}`
  return `${generation} ${stable.slice(0, 6)} ${candidate?.slice(0, 6) ?? 'nobody'} ${share}${flags}`
}

/** Renewals repeat the state before them. */
function distinct(states: readonly string[]): readonly string[] {
  return states.filter((state, index) => state !== states[index - 1])
}
