import { type AnyOut, contentTypes, type Input, type LogRecord, type Processor, topics } from '@interlock/contracts'
import type { Subject } from './faults/fault.ts'
import { type Injection, inject } from './faults/inject.ts'
import { messagesOf } from './messages.ts'
import { Outcome, type Played } from './outcome.ts'
import type { Row } from './row.ts'
import type { Traffic } from './traffic/traffic.ts'
import { answersTo } from './world/answers.ts'
import { type Cast, type CastOptions, castOf } from './world/cast.ts'
import { environment, startMs } from './world/place.ts'
import { SimulatedPlatform } from './world/platform.ts'

/** The real processors; this package is handed them, since it knows no service. Their states are their own business. */
export interface Processors {
  readonly profiler: Processor<unknown>
  readonly evaluator: Processor<unknown>
  readonly governor: Processor<unknown>
  readonly fleet: Processor<unknown>
}

/** Makes processors of one shard each. */
export type MakeProcessors = (config: { readonly environment: string; readonly rootKey: string }) => Processors

/** One scenario: what comes in, what goes wrong, under which policy, and for how long. */
export interface Scene extends CastOptions {
  readonly processors: MakeProcessors
  readonly traffic: Traffic
  readonly injections: readonly Injection[]
  readonly subject: Subject
  readonly seed: number
  /** It ends so long after the fault began, ms; where there is none, after the rollout was asked for. */
  readonly lengthMs: number
  /** Whether it ends soon after the first decision about a guardrail. */
  readonly untilCaught: boolean
  /** What people do besides, ms after the rollout was asked for. */
  readonly people?: readonly {
    readonly atMs: number
    readonly by: string
    readonly request: Parameters<Cast['request']>[1]
  }[]
}

const tickMs = 1_000
/** Traffic begins once the deployment is registered, and the rollout once the platform was seen. */
const trafficFromMs = 2_000
const warmUpMs = 5_000
/** After the guardrail's first decision so many panes follow: a hold may yet become a rollback. */
const panesAfterCatch = 10

/**
 * Plays a scenario through profiler, evaluator, governor and fleet on virtual time: no broker, no disk, no clock. Each second
 * the platform's traffic becomes one or more messages that the profiler decodes and counts as any; each processor steps
 * once; an agent does at once what the newest command says, so the next second's traffic follows it.
 *
 * Deterministic: the same scene gives the same decisions, ids and hashes included.
 */
export function play(scene: Scene): Played {
  const { traffic, injections, subject, seed, policy, lengthMs, untilCaught } = scene
  const cast = castOf(scene)
  const world = new World(scene.processors({ environment, rootKey: cast.rootKey }), startMs)
  const platform = new SimulatedPlatform(cast)
  const outcome = new Outcome(cast, policy, injections.length > 0)
  const people = [...(scene.people ?? [])].sort((a, b) => a.atMs - b.atMs)
  let requests = cast.introduction
  let facts: readonly Uint8Array[] = []
  let rows = 0
  let endMs = warmUpMs + (injections.length > 0 ? reachMs(scene) : lengthMs)
  let isOn = false
  let asked = 0
  const injected = (answer: Row, number: number): Row | readonly Row[] => {
    let after: Row | readonly Row[] = answer
    for (const injection of injections) {
      const onset = outcome.onsetOf(injection)
      if (onset === null || answer.eventTimeMs < onset) continue
      const at = { seed, number, sinceMs: answer.eventTimeMs - onset }
      after = isMany(after)
        ? after.flatMap((row) => inject(injection, subject, row, at))
        : inject(injection, subject, after, at)
    }
    return after
  }
  for (let at = 0; at < endMs; at += tickMs) {
    const to = at + tickMs
    const { observed } = platform
    outcome.stage(observed, startMs + at)
    for (const injection of injections) {
      const onset = outcome.onsetOf(injection)
      if (onset !== null && onset < startMs + to) outcome.begin(onset)
    }
    const events: Row[] = []
    for (const request of at < trafficFromMs ? [] : traffic.between(at, to)) {
      for (const answer of answersTo(request, observed, cast, seed)) {
        const number = rows++
        const after = injected(answer, number)
        outcome.answer(answer, after !== answer)
        if (isMany(after)) events.push(...after)
        else events.push(after)
      }
    }
    if (at === warmUpMs) requests = [...requests, cast.rollout(world.time)]
    for (let next = people[0]; next !== undefined && next.atMs + warmUpMs <= at; next = people[0]) {
      people.shift()
      requests = [...requests, cast.request(next.by, next.request, `people-${asked++}`, world.time)]
    }
    const outs = world.step(startMs + to, events, requests, facts)
    requests = []
    outcome.take(outs)
    facts = platform.facts(outs, startMs + to)
    if (outcome.isOver) break
    if (!isOn && outcome.onset !== null) {
      isOn = true
      endMs = outcome.onset - startMs + lengthMs
    }
    if (untilCaught && outcome.isCaught) endMs = Math.min(endMs, to + panesAfterCatch * policy.times.paneMs)
  }
  return outcome.result(rows)
}

/** Time in which the stages before the first onset must be through, ms. */
function reachMs({ policy: { stages }, injections }: Scene): number {
  const times = injections.map(({ onset: { stage, afterMs } }) => {
    const index = stages.findIndex((each) => (stage === null ? !each.shadow : each.name === stage))
    if (index < 0)
      throw new RangeError(`there is no stage "${stage}"; stages are ${stages.map(({ name }) => name).join(', ')}`)
    return stages.slice(0, index).reduce((sum, { maximumMs }) => sum + maximumMs, 0) + afterMs
  })
  return Math.max(...times) + warmUpMs
}

function isMany(rows: Row | readonly Row[]): rows is readonly Row[] {
  return Array.isArray(rows)
}

/** The four processors, each with its state, and the outs that are under way between them. */
class World {
  readonly #processors: Processors
  readonly #states = new Map<string, unknown>()
  #watches: readonly Input[] = []
  #fromFleet: readonly Input[] = []
  #offset = 0n
  time: number

  constructor(processors: Processors, time: number) {
    this.#processors = processors
    this.time = time
    for (const processor of Object.values(processors) as Processor<unknown>[])
      this.#states.set(processor.name, processor.empty(0))
  }

  /** One step of each; returns what evaluator, governor and profiler put out. */
  step(
    time: number,
    events: readonly Row[],
    requests: readonly Uint8Array[],
    facts: readonly Uint8Array[],
  ): readonly AnyOut[] {
    this.time = time
    const { profiler, evaluator, governor, fleet } = this.#processors
    const counted = this.#move(profiler, [...this.#watches, ...this.#messages(events)])
    const seen = this.#move(evaluator, [...this.#watches, ...this.#taken('profiler', counted)])
    const decided = this.#move(governor, [
      ...this.#taken('evaluator', seen),
      ...this.#fromFleet,
      ...requests.map((value) => this.#record(topics.requests, value)),
      ...facts.map((value) => this.#record(topics.facts, value)),
    ])
    const fleetOuts = this.#move(fleet, this.#taken('governor', decided))
    this.#watches = this.#taken(
      'governor',
      decided.filter(({ kind }) => kind === 'watch'),
    )
    this.#fromFleet = this.#taken('fleet', fleetOuts)
    return [...counted, ...seen, ...decided]
  }

  #move(processor: Processor<unknown>, batch: readonly Input[]): readonly AnyOut[] {
    const [state, outs] = processor.step(this.#states.get(processor.name), batch, this.time, true)
    this.#states.set(processor.name, state)
    return outs
  }

  #messages(events: readonly Row[]): readonly Input[] {
    const headers = { 'content-type': contentTypes.json }
    return messagesOf(events).map((value) => this.#record(topics.predictions, value, headers))
  }

  #record(topic: string, value: Uint8Array, headers: Readonly<Record<string, string>> = {}): Input {
    const record: LogRecord = { topic, partition: 0, offset: this.#next(), at: this.time, key: null, value, headers }
    return { kind: 'record', record }
  }

  #taken(processor: string, outs: readonly AnyOut[]): readonly Input[] {
    return outs.map((out): Input => ({ kind: 'out', processor, shard: 0, offset: this.#next(), at: this.time, out }))
  }

  #next(): bigint {
    this.#offset += 1n
    return this.#offset
  }
}
