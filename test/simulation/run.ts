import { type CommandState, compareOrders, shardOf, topics } from '@interlock/contracts'
import { verifyReplay } from '@interlock/runtime'
import { deployments, type Pace, paces } from './cast.ts'
import { type FaultKind, faultsOf } from './fault-kinds.ts'
import { Faults } from './faults.ts'
import { checkEvidenceBySums } from './metamorphic.ts'
import { deploymentShards, processor } from './parts.ts'
import { Chance } from './streams.ts'
import type { Violation } from './violation.ts'
import { World } from './world.ts'

export interface RunOptions {
  readonly seed: number
  /** Virtual minutes with faults; the time to settle comes on top. Default: of the seed. */
  readonly minutes?: number
  readonly faults?: readonly FaultKind[]
  readonly pace?: Pace
  /** Without replay and sums at the end, which cost half as much as the run itself. Default: two seeds in three. */
  readonly isQuick?: boolean
}

export interface Outcome {
  readonly seed: number
  readonly pace: Pace['name']
  readonly minutes: number
  readonly faults: readonly FaultKind[]
  readonly violations: readonly Violation[]
  readonly trace: World['trace']
  readonly traceHash: string
  readonly virtualMs: number
  readonly happened: ReadonlyMap<string, number>
  readonly figures: Readonly<Record<string, number>>
  /** The most that was seen of what must be bounded. */
  readonly most: ReadonlyMap<string, number>
}

const ended: readonly CommandState[] = ['verified', 'escalated', 'superseded']
/** After the faults: every breach verified or escalated within 90 s, every command ended. */
const commandMs = 90_000

/** A seed's own pace: most run calmly, since an hour is cheap there. */
export function paceOf(seed: number): Pace {
  return new Chance(seed, 'pace').is(0.2) ? paces.brisk : paces.calm
}

/** One run of a world: introduced, troubled, left alone to settle, then asked whether all is as it must be. */
export async function run(options: RunOptions): Promise<Outcome> {
  const { seed } = options
  const pace = options.pace ?? paceOf(seed)
  const kinds = options.faults ?? faultsOf(seed)
  const minutes = options.minutes ?? (pace.name === 'brisk' ? 4 : 20)
  const world = new World(seed, pace)
  const startedAt = world.simulation.now
  await world.done(world.people.introduce())
  for (const deployment of deployments) world.people.live(deployment)
  const faults = new Faults(world, kinds)
  await world.pass(minutes * 60_000)
  if (world.violations.length === 0) {
    faults.stop()
    world.people.stop()
    await world.pass(commandMs + 60_000 + 20_000 * pace.factor)
  }
  if (world.violations.length === 0) await settled(world)
  if (world.violations.length === 0) {
    for (const traffic of world.traffics) traffic.stop()
    await world.pass(6 * pace.paneMs)
    if (world.violations.length === 0) await atTheEnd(world, options.isQuick ?? seed % 3 !== 0)
  }
  world.isOver = true
  return {
    seed,
    pace: pace.name,
    minutes,
    faults: kinds,
    violations: world.violations,
    trace: world.trace,
    traceHash: world.traceHash,
    virtualMs: world.simulation.now - startedAt,
    happened: new Map([...faults.happened, ...[...world.weather.fates].map(([name, n]) => [`F3 ${name}`, n] as const)]),
    most: world.bounds.most,
    figures: {
      rows: world.counts.rows,
      dead: world.counts.dead,
      panes: world.evidence.panes,
      incomplete: world.evidence.incomplete,
      decisions: sum([...world.decisions.cases.values()].map(({ decisions }) => decisions.length)),
      rollbacks: sum(
        [...world.decisions.cases.values()].map(
          ({ decisions }) => decisions.filter(({ outcome }) => outcome === 'rolled-back').length,
        ),
      ),
      commands: sum([...world.decisions.cases.values()].map(({ issued }) => issued.size)),
      changes: world.platformChecks.changes,
      alerts: world.sink.delivered.size,
      entries: sum([...world.landed.runs.values()].map(({ entries }) => entries.length)),
      voids: sum([...world.landed.runs.values()].map(({ voids }) => voids)),
      owners: sum([...world.landed.runs.values()].map(({ owners }) => owners.size)),
    },
  }
}

/** Liveness, some time after the last fault: nothing lags, every command has ended, every alert has come, the highest stands. */
async function settled(world: World): Promise<void> {
  const { pace } = world
  const now = world.simulation.now
  for (const [name, run] of world.landed.runs) {
    const last = run.last
    if (last === undefined || now - last.at > 2_000 + pace.tickMs + pace.lingerMs) {
      world.accuse('L', name, `its last entry is ${last === undefined ? 'none' : `${now - last.at} ms old`}`)
    }
  }
  for (const deployment of deployments) {
    const { state, decisions, issued, highest } = world.decisions.about(deployment)
    const command = state?.command ?? null
    if (command !== null && !ended.includes(command.state) && now - (command.times.issued ?? 0) > commandMs) {
      world.accuse(
        'L',
        deployment,
        `command ${command.order.join('.')} is "${command.state}" after ${now - (command.times.issued ?? 0)} ms`,
      )
    }
    const platform = world.platform(deployment)
    if (highest === null) continue
    const newest = issued.get(highest.join('.'))!
    if (now - newest.at < 20_000 + 5 * pace.tickMs) continue
    if (world.publics.highestOf(deployment)?.join('.') !== highest.join('.')) {
      world.accuse(
        'L',
        deployment,
        `command ${highest.join('.')} is not out; ${world.publics.highestOf(deployment)?.join('.')} is`,
      )
    }
    const partition = shardOf(deployment, deploymentShards)
    const onTopic = world.servers
      .partition(topics.commands, partition)
      .records.findLast(
        (record) =>
          Buffer.from(record.key ?? []).toString() === deployment && record.headers['x-hostile'] === undefined,
      )
    if (onTopic?.headers.order !== highest.join('.')) {
      world.accuse(
        'L',
        deployment,
        `the newest command on the topic is ${onTopic?.headers.order}, and ${highest.join('.')} is the highest`,
      )
    }
    const { desired, grant } = newest.command
    const lawful = [desired, ...(grant?.onLapse ?? []).map((step) => step.desired)]
    const { state: does } = platform
    const follows = lawful.some(
      (one) => does.stable === one.target && does.fallback === one.fallback && does.share <= one.shareMax,
    )
    if (!follows && !world.adopted.has(deployment)) {
      world.accuse(
        'S15',
        deployment,
        `the platform does ${JSON.stringify(does)} under ${JSON.stringify(newest.command)}`,
      )
    }
    const highestApplied = platform.highest
    if (highestApplied !== null && compareOrders(highestApplied, highest) > 0)
      world.accuse('S3', deployment, 'the platform follows a higher order')
    void decisions
  }
  const missing = world.publics.missing()
  // What was put out this moment may still be on its way.
  if (missing.length > 0) {
    await world.pass(3_000 + pace.tickMs)
    const still = new Set(world.publics.missing())
    const lost = missing.filter((each) => still.has(each))
    if (lost.length > 0) world.accuse('L', lost[0]!, `${lost.length} outs were never published, such as ${lost[0]}`)
  }
  const alerts = world.sink.missing
  if (alerts.length > 0) {
    await world.pass(60_000)
    const still = world.sink.missing.filter((each) => alerts.includes(each) && !world.givenUp.has(each))
    if (still.length > 0) world.accuse('L', 'notifier', `${still.length} alerts never came, such as ${still[0]}`)
  }
}

/** All is stopped in order; then every input must be taken, and every shard must replay to the same bytes. */
async function atTheEnd(world: World, isQuick: boolean): Promise<void> {
  const accuse = (invariant: string, about: string, text: string): void => world.accuse(invariant, about, text)
  for (const name of world.landed.runs.keys()) {
    const [of, shard] = name.split('/') as [string, string]
    const behind = world.shardChecks.lag(of, Number(shard)).filter((each) => each.startsWith(topics.predictions))
    if (behind.length > 0) accuse('L', name, behind.join('; '))
  }
  world.ledger.missing()
  if (isQuick) return
  checkEvidenceBySums(world.landed, accuse)
  const observer = world.simulation.process('observer')
  const log = world.servers.handle(observer)
  for (const name of ['profiler', 'evaluator', 'governor', 'fleet']) {
    for (let shard = 0; shard < (world.groups.get(name)?.shards ?? 0); shard++) {
      const report = await world.done(
        processor(name, (made) =>
          verifyReplay({ log, processor: made, shard, ...(world.trimmed.size === 0 ? { wanted: 0n } : {}) }),
        ),
      )
      if (report === undefined) return
      const [first] = report.mismatches
      if (first !== undefined)
        accuse('S7', `${name}/${shard}`, `replay of entry ${first.offset}: other ${first.what}: ${first.detail}`)
      if (report.unreachable.length > 0 && world.trimmed.size === 0) {
        accuse(
          'S7',
          `${name}/${shard}`,
          `replay cannot reach ${JSON.stringify(report.unreachable, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
        )
      }
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
