import { commandCheck, runAgent } from '@interlock/agent'
import {
  type AlertOut,
  type CommandOut,
  decodeOut,
  type FactRecord,
  type InputSource,
  type LogRecord,
  type Order,
  type Out,
  type Processor,
  shardLog,
  signCommand,
  signFact,
  topics,
  verifyCommand,
} from '@interlock/contracts'
import { createEvaluator, evaluatorInputs } from '@interlock/evaluator'
import { createFleet, createGovernor, fleetInputs, governorInputs, signAudit } from '@interlock/governor'
import { runNotifier, type Sink } from '@interlock/notifier'
import { createProfiler, profilerInputs } from '@interlock/profiler'
import {
  type PublicKind,
  runHost,
  runPublisher,
  type ShardLimits,
  type SimulatedProcess,
  withDeadlines,
} from '@interlock/runtime'
import { pino } from 'pino'
import { ownedShards } from '../../packages/cli/src/parts/owned-shards.ts'
import {
  agentName,
  deploymentDocument,
  deployments,
  environment,
  keysetOf,
  notifierName,
  type Pace,
  publicKeyOf,
  rootName,
  signerNamed,
} from './cast.ts'
import type { Group } from './membership.ts'
import { Chance } from './streams.ts'
import type { World } from './world.ts'

/** The real parts of Interlock, each wired as a process of its own would wire it, onto the simulated world. */

export const profilerShards = 2
export const deploymentShards = 2

const logger = pino({ level: 'silent' })

/** Most records of an input that a step takes. */
export const maxRecords = 20

/** Snapshots come often enough to matter within minutes. */
function limitsOf({ factor, tickMs, lingerMs }: Pace): Partial<ShardLimits> {
  return { snapshotMs: 20_000 * factor, snapshotEntries: 300, maxRecords, tickMs, lingerMs }
}

/** What is done with a processor; the state's type stays the processor's own business. */
export type Use<Result> = <State>(
  processor: Processor<State>,
  inputs: (shard: number) => readonly InputSource[],
  mustReproduce: boolean,
) => Result

/** All processors by name, as the wiring of the program makes them. */
export function processor<Result>(name: string, use: Use<Result>): Result {
  switch (name) {
    case 'profiler':
      return use(
        createProfiler(),
        (shard) =>
          profilerInputs(
            shard,
            deployments.map((each) => deploymentDocument(each).topics),
            deploymentShards,
          ),
        false,
      )
    case 'evaluator':
      return use(
        createEvaluator({ shards: deploymentShards, profilerShards }),
        (shard) => evaluatorInputs(shard, profilerShards),
        false,
      )
    case 'governor':
      return use(
        createGovernor({ environment, shards: deploymentShards, rootKey: publicKeyOf(rootName).toString('base64') }),
        (shard) => governorInputs(shard),
        true,
      )
    case 'fleet':
      return use(createFleet(), () => fleetInputs(deploymentShards), true)
    default:
      throw new Error(`there is no processor ${name}`)
  }
}

/** Kinds of outs that are published, by processor: as packages/cli/src/parts wires them. */
const publicKinds: Readonly<Record<string, readonly PublicKind[]>> = {
  profiler: ['dead-letter', 'replayed'],
  evaluator: ['evidence'],
  governor: ['command', 'alert', 'dead-letter'],
  fleet: ['alert', 'leaf', 'checkpoint'],
}

/** Hosts a processor and publishes what the shards that it owns put out. */
export function hosted(
  world: World,
  name: string,
  group: Group,
  process: SimulatedProcess,
  signal: AbortSignal,
): Promise<void>[] {
  const { random } = new Chance(world.seed, `backoff of ${process.name} ${name}`)
  let owners = 0
  const shared = {
    log: world.servers.handle(process),
    clock: process.clock,
    logger,
    random,
    build: world.build,
    newOwner: () => `${process.name}/${++owners}`,
    limits: limitsOf(world.pace),
    lookMs: 500 * world.pace.factor,
  }
  const host = processor(name, (made, inputs, mustReproduce) =>
    runHost({ ...shared, processor: made, inputs, mustReproduce, membership: group.of(process) }, signal),
  )
  const publish = ownedShards(group.of(process), (shard, stop) =>
    runPublisher(
      {
        ...shared,
        shardLog: { topic: shardLog(name), partition: shard },
        kinds: publicKinds[name] ?? [],
        orderOf,
        sign: signed,
      },
      stop,
    ),
  )
  return [host, publish(signal)]
}

const governorSigner = signerNamed('governor')
const envelopes = new Map<string, Uint8Array>()

/** Ed25519 is deterministic, so one signature of the same bytes is as good as the next. */
function signed(out: Out): Uint8Array {
  const decoded = decodeOut(out)
  if (decoded.kind === 'checkpoint') return signAudit(out, environment, signerNamed('fleet'))
  if (decoded.kind !== 'command') return out.value
  const key = Buffer.from(out.value).toString('base64')
  const known = envelopes.get(key)
  if (known !== undefined) return known
  const envelope = signCommand((decoded as CommandOut).command, governorSigner)
  envelopes.set(key, envelope)
  return envelope
}

const { keys } = keysetOf(1)

/** Order of a public command that the governor signed for this environment; what is forged has none. */
function orderOf(record: LogRecord): Order | null {
  if (record.value === null) return null
  const verified = verifyCommand(record.value, keys)
  if (!verified.ok) return null
  const { order, environment: where, audience } = verified.value
  return where === environment && audience === agentName ? order : null
}

export function agentPart(world: World, process: SimulatedProcess, signal: AbortSignal): Promise<void>[] {
  return [
    runAgent(
      {
        log: world.servers.handle(process),
        topics,
        clock: process.clock,
        agent: agentName,
        environment,
        platforms: new Map(deployments.map((each) => [each, world.platform(each).handle(process)])),
        kept: world.diskOf(process).kept(process),
        verify: commandCheck(
          { environment, agent: agentName, deployments: new Set(deployments) },
          () => ({ keys }),
          process.clock.now,
        ),
        sign: (fact) => world.posted(signFact(fact, signerNamed(agentName)), fact),
        tell: (_level, message, details) =>
          world.tell('agent', `${process.name}: ${message} ${JSON.stringify(details)}`),
        turnEveryMs: Math.min(2_000, 500 * world.pace.factor),
        observeEveryMs: 2_000 * world.pace.factor,
        readinessEveryMs: world.pace.name === 'brisk' ? 15_000 : 25_000,
      },
      signal,
    ),
  ]
}

export function notifierPart(world: World, process: SimulatedProcess, signal: AbortSignal): Promise<void>[] {
  const sink: Sink = {
    name: 'pager',
    deliver: (message) =>
      new Promise((resolve, reject) => {
        world.sink.begins(process)
        world.simulation.after(world.sink.latencyMs(), () => {
          const isTaken = world.sink.takes(message)
          process.deliver(() => (isTaken ? resolve() : reject(new Error('the pager does not answer'))))
        })
      }),
  }
  return [
    runNotifier(
      {
        log: withDeadlines(world.servers.handle(process), process.clock),
        topics,
        clock: process.clock,
        environment,
        holder: notifierName,
        sinks: [sink],
        sign: (fact: FactRecord) => world.posted(signFact(fact, signerNamed(notifierName)), fact),
        positions: world.diskOf(process).store(process),
        tell: (message, details) => world.tell('notifier', `${message} ${JSON.stringify(details)}`),
      },
      signal,
    ),
  ]
}

/** An alert as it lies on its topic. */
export function alertIn(record: LogRecord): AlertOut {
  return decodeOut({ kind: 'alert', key: '', value: record.value! }) as AlertOut
}
