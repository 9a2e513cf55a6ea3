import { setTimeout as sleep } from 'node:timers/promises'
import type { DeploymentId } from '@interlock/contracts'
import { seededRandom } from '@interlock/runtime'
import { slowPolicy } from '../process/small-deployment.ts'
import { Cast, type Role } from './cast.ts'
import { type Heard, hear } from './heard.ts'
import { startLoad } from './load.ts'
import { type Fault, type Faults, planFaults, sayFault } from './plan.ts'
import { openStage, type Stage } from './stage.ts'
import { examine, type Ran, type Verdict } from './verdict.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly faults: Faults
  /** How many processes of each service. */
  readonly processes: Readonly<Record<string, number>>
  readonly brokers: 1 | 3
  readonly shards: { readonly profiler: number; readonly deployments: number }
  /** Of each of the two deployments, one after the other; every candidate breaks the policy. */
  readonly rollouts: number
  readonly rowsPerS: number
  /** Goes on until so many rows were acknowledged. */
  readonly rows: number
  /** More environment of every process that is started after a fault: how a bug of our own making gets in. */
  readonly envOfSuccessors?: Readonly<Record<string, string>>
  /** How long the end of what was begun is waited for; what takes longer is a problem. */
  readonly settleWithinMs: number
  readonly say: (line: string) => void
}

/** More deployments would come under the fleet's brake: three that roll back within five minutes are suspicious. */
const deployments = 2
/**
 * Nothing may be late or incomplete, or the recount would have nothing to say: a row is at most the deadline of an append
 * old when it lands, and a shard that nobody owns is waited for.
 */
export const chaosPolicy = slowPolicy
  .replace('lateness: 1s, stall: 5s', 'lateness: 5s, stall: 15m')
  .replace('no-data: 20s', 'no-data: 15m\ngrant: 10m\nbrakes: { rollbacks-an-hour: 100 }')
const candidateErrors = 0.25
const startWithinMs = 90_000
const askAgainMs = 5_000

/** Runs it, and examines what is in the log afterwards. Null where no broker or proxy can be had. */
export async function chaos(options: ChaosOptions): Promise<Verdict | null> {
  const began = Date.now()
  const say = (line: string): void => options.say(`${((Date.now() - began) / 1_000).toFixed(1)} s  ${line}`)
  const stage = await openStage({
    deployments,
    candidates: options.rollouts,
    lines: 2,
    brokers: options.brokers,
    shards: options.shards,
    policy: chaosPolicy,
  })
  if (stage === null) return null
  const cast = new Cast(rolesOf(stage, options))
  say('the stage is set')
  try {
    await cast.start()
    say(`${cast.names.length} processes run`)
    const { stuck, ...ran } = await play(stage, cast, options, say)
    const { problems, figures } = await examine({ stage, cast, ...ran })
    say('examined')
    for (const { name, code, said } of cast.endedByThemselves) say(`${name} ended by itself with ${code}: ${said}`)
    return { problems: [...stuck, ...problems], figures }
  } finally {
    cast.remove()
    await stage.remove()
  }
}

/** From the first row to the end of the last process. `stuck`: what did not come to its end in time. */
async function play(
  stage: Stage,
  cast: Cast,
  options: ChaosOptions,
  say: ChaosOptions['say'],
): Promise<Omit<Ran, 'stage' | 'cast'> & { readonly stuck: readonly string[] }> {
  const names = [...stage.deployments.keys()]
  const stuck: string[] = []
  const heard = await hear(stage.log, ({ deployment, outcome, rule, text }) =>
    say(`${deployment} ${outcome} (${rule}): ${text}`),
  )
  const waitFor = (what: string, reached: () => boolean): Promise<void> =>
    until(what, options.settleWithinMs, heard, reached).catch((error: Error) => void stuck.push(error.message))
  await until('every deployment to be counted', startWithinMs, heard, () =>
    names.every((deployment) => heard.isReadyToCount(deployment, 0)),
  )
  const { seed, rowsPerS } = options
  const { log, topic, versionOf } = stage
  const served = [...stage.deployments].map(([deployment, router]) => ({ deployment, router, versionOf }))
  const load = startLoad({ log, topic, seed, rowsPerS, served, candidateErrors: () => candidateErrors })
  const stories = names.map((deployment) => rolloutsOf(stage, heard, deployment, say))

  const plan = planFaults(seededRandom(seed), options.faults, {
    processes: cast.names.length,
    lines: stage.lines.length,
    brokers: stage.brokers.length,
  })
  const hurting = new Set<Promise<unknown>>()
  const turns = stage.lines.map(() => Promise.resolve())
  for (const { afterMs, fault } of plan) {
    await sleep(afterMs)
    say(sayFault(fault, cast.names))
    const done = hurt(stage, cast, turns, fault).catch((error: Error) => stuck.push(`a fault failed: ${error.message}`))
    hurting.add(done)
    // Others go on meanwhile; but all that is done to brokers is done one after the other.
    if (fault.kind === 'broker') await done
  }
  await Promise.all(hurting)
  say(`no more faults; ${load.rows()} rows so far`)
  await waitFor('the end of the rollouts', () => stories.every(({ isOver }) => isOver()))
  while (load.isOn() && load.rows() < options.rows) await sleep(200)
  await load.stop()
  const lastRowAt = Date.now()
  await waitFor('all rows to be taken', () => heard.taken() >= load.rows())
  await waitFor('the last pane to close', () => names.every((deployment) => heard.closedTo(deployment) > lastRowAt))
  for (const story of stories) story.stop()
  say('all is taken and closed; ending')
  const ended = await cast.end()
  await heard.stop()
  return { load, ended, faults: plan.map(({ fault }) => fault), stuck }
}

function rolesOf({ lines, env }: Stage, options: ChaosOptions): readonly Role[] {
  return Object.entries(options.processes).flatMap(([service, count]) =>
    Array.from({ length: count }, (_, index): Role => {
      const { config } = lines[index % lines.length]!
      return { service, config, env: { ...env, INTERLOCK_LOG: 'warn' }, envOfSuccessors: options.envOfSuccessors ?? {} }
    }),
  )
}

/** @param turns one a line: what is done to a line begins when the last thing was taken back */
async function hurt({ brokers, lines }: Stage, cast: Cast, turns: Promise<void>[], fault: Fault): Promise<void> {
  switch (fault.kind) {
    case 'kill':
      return cast.kill(fault.process)
    case 'freeze':
      return cast.freeze(fault.process, fault.ms)
    case 'leave':
      return cast.leave(fault.process, fault.ms)
    case 'broker':
      await brokers[fault.broker]!.kill()
      await sleep(fault.ms)
      return brokers[fault.broker]!.start()
    case 'toxic':
    case 'cut': {
      const { line } = lines[fault.line]!
      const turn = turns[fault.line]!.then(async () => {
        await (fault.kind === 'cut' ? line.cut() : line.poison(fault.toxic))
        await sleep(fault.ms)
        await line.heal()
      })
      turns[fault.line] = turn.catch(() => undefined)
      return turn
    }
  }
}

interface Story {
  isOver(): boolean
  stop(): void
}

/** One candidate after the other: asked for until it is started, and waited for until its rollback is verified. */
function rolloutsOf(stage: Stage, heard: Heard, deployment: DeploymentId, say: ChaosOptions['say']): Story {
  let state: 'goes on' | 'over' | 'stopped' = 'goes on'
  const decided = (generation: number, outcome: string, after = -1): number | undefined =>
    heard.decisions.find(
      (one) =>
        one.deployment === deployment &&
        one.after.generation === generation &&
        one.outcome === outcome &&
        one.sequence > after,
    )?.sequence
  const reached = async (
    what: () => number | undefined,
    ms = Number.POSITIVE_INFINITY,
  ): Promise<number | undefined> => {
    for (const end = Date.now() + ms; state === 'goes on' && Date.now() < end; await sleep(100)) {
      const sequence = what()
      if (sequence !== undefined) return sequence
    }
    return undefined
  }
  const run = async (): Promise<void> => {
    for (const [index, candidate] of stage.candidates.entries()) {
      const generation = index + 1
      let started: number | undefined
      while (started === undefined && state === 'goes on') {
        await stage.rollOut(deployment, candidate).catch((error: Error) => say(`${deployment}: ${error.message}`))
        started = await reached(() => decided(generation, 'rollout-started'), askAgainMs)
      }
      const rolledBack = await reached(() => decided(generation, 'rolled-back'))
      if ((await reached(() => decided(generation, 'verified', rolledBack))) === undefined) return
    }
    state = 'over'
  }
  run().catch((error: Error) => say(`${deployment}: its story ended: ${error.message}`))
  return {
    isOver: () => state === 'over',
    stop: () => {
      if (state === 'goes on') state = 'stopped'
    },
  }
}

async function until(what: string, ms: number, heard: Heard, reached: () => boolean): Promise<void> {
  for (const end = Date.now() + ms; !reached(); await sleep(200)) {
    if (Date.now() < end) continue
    const last = heard.decisions.slice(-6).map(({ deployment, outcome, text }) => `  ${deployment} ${outcome}: ${text}`)
    throw new Error(`waited ${ms} ms for ${what}; the last decisions:\n${last.join('\n')}`)
  }
}
