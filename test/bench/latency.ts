import { setTimeout as sleep } from 'node:timers/promises'
import { type DeploymentId, severities, topics } from '@interlock/contracts'
import { orderHeader } from '@interlock/runtime'
import { Cast } from '../chaos/cast.ts'
import { type Heard, hear } from '../chaos/heard.ts'
import { startLoad } from '../chaos/load.ts'
import { entriesByOwner } from '../chaos/owners.ts'
import { entriesOf, recordsOf } from '../chaos/recount.ts'
import { openStage, type Stage } from '../chaos/stage.ts'
import { howToRun } from '../kafka/broker.ts'
import { slowPolicy } from '../process/small-deployment.ts'

const deployments = 2
const rowsPerS = 400
const pane = { paneMs: 1_000, latenessMs: 1_000 }
const policy = slowPolicy
  .replace('lateness: 1s, stall: 5s', 'lateness: 1s, stall: 15s')
  .replace('no-data: 20s', 'no-data: 60s\nbrakes: { rollbacks-an-hour: 100 }')
const services = ['profiler', 'evaluator', 'governor', 'agent'] as const
const giveUpMs = 90_000

/** What happens at the moment of the breach; by turns. */
const faults = ['kill profiler', 'kill evaluator', 'kill governor', 'kill agent', 'broker', 'latency'] as const
type FaultName = (typeof faults)[number]

interface Breach {
  readonly deployment: DeploymentId
  readonly generation: number
  readonly fault: FaultName | null
  readonly brokenAt: number
  readonly appliedAt: number
}

interface Round {
  readonly fault: FaultName | null
  /** From the first bad answer to the signed command on its topic, and to the change at the platform. */
  readonly commandMs: number
  readonly appliedMs: number
  /** From the evidence in the evaluator's log to the command: without the time that counting takes. */
  readonly decidedMs: number
}

/**
 * From the first bad answer of a candidate to the signed command on its topic, and to the change at the platform, with every
 * service as processes on a real broker: with no fault, and with one at the very moment. And from the kill of an owner to
 * the next valid entry of its shard.
 */
export async function bench(flags: readonly string[]): Promise<void> {
  const rounds = flags.includes('--quick') ? 2 : Number(flags[flags.indexOf('--rounds') + 1] ?? '') || 12
  const report = []
  for (const withFaults of [false, true]) {
    const measured = await measure(rounds, withFaults)
    if (measured === null) {
      console.error(howToRun)
      process.exitCode = 1
      return
    }
    const { found, failoverMs } = measured
    report.push({
      faults: withFaults ? 'one' : 'none',
      breaches: found.length,
      command: percentiles(found.map(({ commandMs }) => commandMs)),
      applied: percentiles(found.map(({ appliedMs }) => appliedMs)),
      evidenceToCommand: percentiles(found.map(({ decidedMs }) => decidedMs)),
      ...(withFaults ? { failover: percentiles(failoverMs), byFault: byFault(found) } : {}),
    })
  }
  console.log(JSON.stringify({ bench: 'latency', ...pane, rowsPerS, report }))
  for (const { faults: which, breaches, command, applied, evidenceToCommand, ...rest } of report) {
    console.log(
      `${which} fault: ${breaches} breaches; ms to the command ${say(command)}, to the platform ${say(applied)}`,
    )
    console.log(`evidence to command, ms ${say(evidenceToCommand)}`)
    if (rest.failover) console.log(`owner killed to next valid entry, ms ${say(rest.failover)}`)
    if (rest.byFault) console.table(rest.byFault)
  }
}

async function measure(rounds: number, withFaults: boolean) {
  const stage = await openStage({
    deployments,
    candidates: rounds,
    lines: 1,
    brokers: 1,
    shards: { profiler: 2, deployments: 2 },
    policy,
  })
  if (stage === null) return null
  const { config } = stage.lines[0]!
  const env = { ...stage.env, INTERLOCK_LOG: 'warn' }
  const cast = new Cast(
    services.flatMap((service) =>
      Array.from({ length: service === 'agent' ? 1 : 2 }, () => ({ service, config, env })),
    ),
  )
  try {
    await cast.start()
    const heard = await hear(stage.log, () => {})
    const names = [...stage.deployments.keys()]
    await reached(() => names.every((name) => heard.isReadyToCount(name, 0)))
    const bad = new Set<string>()
    const load = startLoad({
      log: stage.log,
      topic: stage.topic,
      seed: 1,
      rowsPerS,
      served: [...stage.deployments].map(([deployment, router]) => ({
        deployment,
        router,
        versionOf: stage.versionOf,
      })),
      candidateErrors: (deployment) => (bad.has(deployment) ? 1 : 0.01),
    })
    await reached(() => names.every((name) => heard.closedTo(name) > 0))
    const breaches: Breach[] = []
    // One after the other, each in its turn: a fault is of one breach.
    for (let round = 0; round < rounds; round++) {
      for (const [index, deployment] of names.entries()) {
        const fault = withFaults ? faults[(round * names.length + index) % faults.length]! : null
        breaches.push(await breach(stage, cast, heard, { deployment, generation: round + 1, bad, fault }))
      }
    }
    await load.stop()
    await heard.stop()
    const { failovers } = await entriesByOwner(stage.log)
    return { found: await timed(stage, heard, breaches), failoverMs: failovers(cast.killed) }
  } finally {
    cast.remove()
    await stage.remove()
  }
}

async function breach(
  stage: Stage,
  cast: Cast,
  heard: Heard,
  one: {
    readonly deployment: DeploymentId
    readonly generation: number
    readonly bad: Set<string>
    readonly fault: FaultName | null
  },
): Promise<Breach> {
  const { deployment, generation, bad, fault } = one
  const router = stage.deployments.get(deployment)!
  const decided = (outcome: string): number =>
    heard.decisions.filter(
      (each) => each.deployment === deployment && each.generation === generation && each.outcome === outcome,
    ).length
  while (decided('rollout-started') === 0) {
    await stage.rollOut(deployment, stage.candidates[generation - 1]!)
    await reached(() => decided('rollout-started') > 0, 4_000).catch(() => undefined)
  }
  await reached(() => router.state().generation === generation && router.state().share > 0 && decided('verified') > 0)
  await sleep(1_000 + Math.random() * 1_000) // somewhere within a pane
  bad.add(deployment)
  const brokenAt = Date.now()
  const healed = fault === null ? undefined : hurt(stage, cast, fault)
  await reached(() => router.state().share === 0)
  const appliedAt = router.toldAt.at(-1)!
  bad.delete(deployment)
  await healed
  await reached(() => decided('verified') > 1)
  return { deployment, generation, fault, brokenAt, appliedAt }
}

async function hurt({ brokers, lines }: Stage, cast: Cast, fault: FaultName): Promise<void> {
  switch (fault) {
    case 'broker':
      await brokers[0]!.kill()
      return brokers[0]!.start()
    case 'latency': {
      const { line } = lines[0]!
      await line.poison({ kind: 'latency', latencyMs: 500, jitterMs: 200 })
      await sleep(10_000)
      return line.heal()
    }
    default:
      // Of two, the one that owns more.
      return cast.killOwner(fault.slice('kill '.length))
  }
}

/** Reads from the logs when what happened. */
async function timed({ log }: Stage, heard: Heard, breaches: readonly Breach[]): Promise<readonly Round[]> {
  const commands = new Map<string, number>()
  const partitions = await log.partitions(topics.commands)
  for (let partition = 0; partition < partitions; partition++) {
    for await (const { key, headers, at } of recordsOf(log, topics.commands, partition)) {
      const [generation, , severity] = (headers[orderHeader] ?? '').split('.').map(Number)
      const name = `${key} ${generation}`
      if (severity === severities.rollBack && !commands.has(name)) commands.set(name, at)
    }
  }
  const evidence = new Map<string, number>()
  for await (const { at, outs } of entriesOf(log, 'evaluator')) {
    for (const out of outs) if (out.kind === 'evidence') evidence.set(out.hash, at)
  }
  return breaches.map(({ deployment, generation, fault, brokenAt, appliedAt }) => {
    const commandAt = commands.get(`${deployment} ${generation}`) ?? Number.NaN
    const decision = heard.decisions.find(
      (one) => one.deployment === deployment && one.generation === generation && one.outcome === 'rolled-back',
    )
    const evidenceAt = evidence.get(decision?.evidence ?? '') ?? Number.NaN
    return {
      fault,
      commandMs: commandAt - brokenAt,
      appliedMs: appliedAt - brokenAt,
      decidedMs: commandAt - evidenceAt,
    }
  })
}

async function reached(what: () => boolean, ms = giveUpMs): Promise<void> {
  for (const end = Date.now() + ms; !what(); await sleep(20)) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms for: ${what}`)
  }
}

interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly most: number
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), most: at(1) }
}

const say = ({ p50, p99 }: Percentiles): string => `p50 ${p50}, p99 ${p99}`

function byFault(found: readonly Round[]): readonly object[] {
  return faults.map((fault) => {
    const of = found.filter((round) => round.fault === fault)
    return {
      fault,
      breaches: of.length,
      commandMs: percentiles(of.map(({ commandMs }) => commandMs)).p50,
      appliedMs: percentiles(of.map(({ appliedMs }) => appliedMs)).p50,
      mostAppliedMs: percentiles(of.map(({ appliedMs }) => appliedMs)).most,
    }
  })
}
