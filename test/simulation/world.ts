import { crc32 } from 'node:zlib'
import './quick-signatures.ts'
import {
  type DeploymentId,
  decodeOut,
  type FactRecord,
  type LogRecord,
  type PersonId,
  type Prediction,
  publicTopics,
  type RequestRecord,
  type StateOut,
  shardOf,
  signRequest,
  topics,
  type VersionId,
} from '@interlock/contracts'
import { SimulatedLog, Simulation } from '@interlock/runtime'
import { deployments, environment, keysetOf, type Pace, rootName, signerNamed } from './cast.ts'
import { BoundChecks } from './check-bounds.ts'
import { CountChecks } from './check-counts.ts'
import { DecisionChecks, type Mail } from './check-decisions.ts'
import { EvidenceChecks } from './check-evidence.ts'
import { LedgerChecks } from './check-ledger.ts'
import { PlatformChecks } from './check-platforms.ts'
import { PublicChecks } from './check-public.ts'
import { ShardChecks } from './check-shards.ts'
import { Disk } from './disk.ts'
import { hostileHeader } from './hostile.ts'
import { Group } from './membership.ts'
import { agentPart, deploymentShards, hosted, notifierPart, profilerShards } from './parts.ts'
import { People } from './people.ts'
import { ServingPlatform } from './platform.ts'
import { Landed } from './runs.ts'
import { Service } from './service.ts'
import { Sink } from './sink.ts'
import { Chance } from './streams.ts'
import { Traffic } from './traffic.ts'
import type { Violation } from './violation.ts'
import { Weather } from './weather.ts'

/** A Tuesday in November 2023. */
const startMs = 1_700_000_000_000
const traceLines = 4_000

/**
 * A whole Interlock in virtual time: the real processors, hosts, publishers, agent and notifier over a simulated log, with
 * people, production traffic and platforms around them. Everything that happens follows from the seed.
 */
export class World {
  readonly seed: number
  readonly pace: Pace
  readonly simulation = new Simulation(startMs)
  readonly weather: Weather
  readonly servers: SimulatedLog
  readonly groups: ReadonlyMap<string, Group>
  readonly services: Service[] = []
  readonly people: People
  readonly traffics: readonly Traffic[]
  readonly sink: Sink
  readonly landed = new Landed()
  readonly shardChecks: ShardChecks
  readonly counts: CountChecks
  readonly evidence: EvidenceChecks
  readonly decisions: DecisionChecks
  readonly publics: PublicChecks
  readonly platformChecks: PlatformChecks
  readonly bounds: BoundChecks
  readonly ledger: LedgerChecks
  readonly violations: Violation[] = []
  readonly trace: { readonly at: number; readonly about: string; readonly text: string }[] = []
  /** Build that processes name; another one after an upgrade. */
  build = 'build 1'
  isOver = false
  /** Since when the (only) agent has not been able to hear anything. */
  agentCutSince: number | null = null
  /** Told of each record that lands. */
  onRecord: (record: LogRecord) => void = () => {}
  /** Deployments whose record met an order that it does not know. */
  readonly adopted = new Set<string>()
  private readonly platforms: ReadonlyMap<DeploymentId, ServingPlatform>
  private readonly sent = new WeakMap<Uint8Array, readonly Prediction[]>()
  private readonly letters = new WeakMap<Uint8Array, RequestRecord | FactRecord>()
  private readonly mail = new Map<string, Mail>()
  private readonly requestIds = new Set<string>()
  private readonly health: Chance
  private hash = 0
  private records = 0
  /** Alerts that the notifier itself reported as given up. */
  readonly givenUp = new Set<string>()
  readonly trimmed = new Set<string>()
  readonly disks = new Map<string, Disk>()
  private readonly over = Promise.withResolvers<void>()

  constructor(seed: number, pace: Pace) {
    this.seed = seed
    this.pace = pace
    const { simulation } = this
    this.weather = new Weather(new Chance(seed, 'weather'))
    this.servers = new SimulatedLog(simulation, this.weather)
    this.health = new Chance(seed, 'health')
    const accuse = (invariant: string, about: string, text: string): void => this.accuse(invariant, about, text)
    this.shardChecks = new ShardChecks(this.landed, accuse)
    this.counts = new CountChecks(this.landed, this.sent, pace.paneMs, accuse)
    this.evidence = new EvidenceChecks(this.landed, profilerShards, deploymentShards, pace, accuse)
    const roles = new Map(keysetOf(1).keys.map(({ holder, may }) => [holder, may]))
    this.decisions = new DecisionChecks(
      this.landed,
      deploymentShards,
      this.mail,
      new Map([...roles].filter(([who]) => !isService(who))),
      pace,
      accuse,
    )
    this.publics = new PublicChecks(this.landed, accuse)
    this.platformChecks = new PlatformChecks(this.decisions, (name) => this.diskOf({ name }), accuse)
    this.bounds = new BoundChecks(accuse)
    this.ledger = new LedgerChecks(this.landed, accuse)
    this.sink = new Sink(new Chance(seed, 'sink'))
    this.createTopics()
    this.servers.onLand = (record) => this.land(record)

    const groups = [
      ['profiler', profilerShards],
      ['evaluator', deploymentShards],
      ['governor', deploymentShards],
      ['fleet', 1],
    ] as const
    this.groups = new Map(
      groups.map(([name, shards]) => [name, new Group(name, shards, new Chance(seed, `group ${name}`))]),
    )
    this.platforms = new Map(
      deployments.map((each) => [each, new ServingPlatform(simulation, each, new Chance(seed, `platform ${each}`))]),
    )
    for (const platform of this.platforms.values()) {
      platform.onChange = (change) => {
        const { after, command } = change
        this.tell(
          platform.deployment,
          `platform: ${command.order.join('.')} share ${after.share} ${after.candidate === null ? '' : 'with candidate'}`,
        )
        this.platformChecks.take(platform, change)
      }
    }
    this.traffics = [...this.platforms.values()].map(
      (platform) =>
        new Traffic(
          seed,
          pace,
          simulation,
          platform,
          profilerShards,
          (partition, value, headers) => this.servers.land(topics.predictions, partition, [{ value, headers }]),
          this.sent,
        ),
    )
    this.people = new People(this)
    this.startServices()
    this.compact()
    this.serve(new Chance(seed, 'serving'))
    this.watchGrants()
    this.watchBounds()
  }

  /** Lets so much virtual time pass, or less when an invariant breaks. */
  async pass(ms: number): Promise<void> {
    const slept = new Promise<void>((resolve) => this.simulation.after(ms, resolve))
    await this.simulation.run(Promise.race([slept, this.over.promise]), ms + 1)
  }

  async done<Answer>(work: Promise<Answer>): Promise<Answer | undefined> {
    return this.simulation.run(Promise.race([work, this.over.promise.then(() => undefined)]), 600_000)
  }

  platform(deployment: DeploymentId): ServingPlatform {
    return this.platforms.get(deployment)!
  }

  service(name: string): Service {
    const found = this.services.find((each) => each.name === name)
    if (found === undefined) throw new Error(`there is no service ${name}`)
    return found
  }

  stateOf(deployment: string): StateOut | null {
    return this.decisions.about(deployment).state
  }

  rolledBackVersions(deployment: string): readonly string[] {
    return this.decisions
      .about(deployment)
      .decisions.flatMap(({ outcome, before }) =>
        outcome === 'rolled-back' ? [before.candidate ?? before.stable ?? ''] : [],
      )
  }

  /** Decides once whether, when and how a version that is about to be rolled out falls ill. */
  fallIll(deployment: DeploymentId, version: VersionId): void {
    const traffic = this.traffics.find((each) => each.deployment === deployment)!
    if (traffic.ailments.has(version)) return
    const dice = this.health.random()
    const from = this.simulation.now + this.health.between(0, 60_000 * this.pace.factor)
    if (dice < 0.25) traffic.ailments.set(version, { from, health: { errors: 0.7, shift: 0 } })
    else if (dice < 0.4) traffic.ailments.set(version, { from, health: { errors: 0.02, shift: 60 } })
    else traffic.ailments.set(version, { from: Number.POSITIVE_INFINITY, health: { errors: 0, shift: 0 } })
    const ailment = traffic.ailments.get(version)!
    if (ailment.from < Number.POSITIVE_INFINITY)
      this.tell(deployment, `${version} will fall ill: ${JSON.stringify(ailment.health)}`)
  }

  /** Remembers what honest bytes say. */
  posted(value: Uint8Array, content: RequestRecord | FactRecord): Uint8Array {
    this.letters.set(value, content)
    return value
  }

  /** The disk of a process's service. */
  diskOf({ name }: { readonly name: string }): Disk {
    const service = name.split('#')[0]!
    const known = this.disks.get(service) ?? new Disk(this.simulation)
    this.disks.set(service, known)
    return known
  }

  tell(about: string, text: string): void {
    this.trace.push({ at: this.simulation.now - startMs, about, text })
    if (this.trace.length > 2 * traceLines) this.trace.splice(0, traceLines)
  }

  accuse(invariant: string, about: string, text: string): void {
    this.violations.push({ invariant, at: this.simulation.now - startMs, about, text })
    this.over.resolve()
  }

  /** A process ended by itself. Only a log that is away at its start is a reason. */
  failed(process: string, error: Error): void {
    this.tell(process, `ends: ${error.name}: ${error.message}`)
    const isWorld = error.name === 'LogUnavailable' || error.name === 'DeadlineExceeded'
    if (!isWorld) this.accuse('S7', process, `it could not go on: ${error.stack ?? error.message}`)
  }

  /** Hash of everything that landed, where and when: two runs of a seed have the same. */
  get traceHash(): string {
    return `${this.records}-${(this.hash >>> 0).toString(16)}-${this.simulation.events}`
  }

  private land(record: LogRecord): void {
    const { topic, partition, offset, at, value, key, headers } = record
    this.records += 1
    this.hash = crc32(
      `${topic}/${partition}/${offset}/${at}/${key === null ? '' : Buffer.from(key).toString('latin1')}`,
      this.hash,
    )
    if (value !== null) this.hash = crc32(value, this.hash)
    if (value !== null && (topic === topics.requests || topic === topics.facts)) this.takeMail(record, value)
    const seen = this.landed.take(record)
    if (topic === topics.snapshots) this.bounds.snapshot(record)
    this.onRecord(record)
    if (seen !== null) {
      this.shardChecks.take(seen)
      this.bounds.step(seen)
      this.publics.due(seen)
      if (seen.processor === 'profiler') this.counts.take(seen)
      if (seen.processor === 'evaluator') this.evidence.take(seen)
      if (seen.processor === 'fleet') this.ledger.take(seen)
      if (seen.processor === 'governor') {
        this.decisions.take(seen)
        for (const out of seen.outs) {
          if (out.kind === 'decision')
            this.tell(
              out.deployment,
              `decision ${out.sequence} ${out.outcome} by ${out.by}: ${out.rule}; order ${out.after.order.join('.')} ${out.text}`,
            )
          if (out.kind === 'command')
            this.tell(
              out.command.deployment,
              `command ${out.command.order.join('.')} share ${out.command.desired.shareMax}`,
            )
        }
      }
    }
    if (Object.values<string>(publicTopics).includes(topic)) {
      this.publics.take(record)
    }
    if (topic === topics.alerts && value !== null && headers[hostileHeader] === undefined) {
      const alert = decodeOut({ kind: 'alert', key: '', value })
      if (alert.kind === 'alert') this.sink.due(alert.id, this.simulation.now)
    }
  }

  private takeMail(record: LogRecord, value: Uint8Array): void {
    const content = this.letters.get(value) ?? null
    let honest = content !== null
    if (content !== null && 'request' in content) {
      // A repetition of an id must change nothing; what landed in another shard was never taken.
      const name = `${record.partition} ${content.id}`
      honest = !this.requestIds.has(name)
      this.requestIds.add(name)
    }
    if (content !== null && 'fact' in content && content.fact.kind === 'delivered' && !content.fact.ok) {
      this.givenUp.add(content.fact.alert)
    }
    this.mail.set(`${record.topic}/${record.partition}/${record.offset}`, { honest, content })
    if (content !== null && 'request' in content && content.request.kind === 'document') {
      const { document } = content.request
      if (document.kind === 'policy') this.decisions.authored(document, content.by)
    }
  }

  /** A keyset of a higher version that does not come from the root. */
  forgeKeyset(at: DeploymentId): void {
    const request = { kind: 'document', document: { ...keysetOf(99), keys: [] } } as const
    for (const [by, signer] of [
      ['root', 'mallory'],
      ['ada', 'ada'],
    ] as const) {
      const record = {
        v: 1,
        id: `forged-${by}-${this.simulation.now}`,
        environment,
        by: by as PersonId,
        request,
      } as const
      const value = signRequest(record, signerNamed(signer))
      this.servers.land(topics.requests, shardOf(at, deploymentShards), [
        { key: Buffer.from(at), value, headers: { [hostileHeader]: '1' } },
      ])
    }
  }

  private startServices(): void {
    const start = (name: string, groups: readonly string[]): void => {
      const own = groups.map((group) => this.groups.get(group)!)
      this.services.push(
        new Service(this, name, own, new Chance(this.seed, `service ${name}`), (process, signal) =>
          own.flatMap((group) => hosted(this, group.name, group, process, signal)),
        ),
      )
    }
    for (const name of ['a', 'b']) {
      start(`profiler-${name}`, ['profiler'])
      start(`evaluator-${name}`, ['evaluator'])
      start(`governor-${name}`, ['governor', 'fleet'])
    }
    this.services.push(
      new Service(this, 'agent', [], new Chance(this.seed, 'service agent'), (process, signal) =>
        agentPart(this, process, signal),
      ),
      new Service(this, 'notifier', [], new Chance(this.seed, 'service notifier'), (process, signal) =>
        notifierPart(this, process, signal),
      ),
    )
  }

  private createTopics(): void {
    const { servers } = this
    servers.create(topics.predictions, { partitions: profilerShards })
    servers.create('log.profiler', { partitions: profilerShards })
    servers.create('log.fleet', { partitions: 1 })
    servers.create(topics.audit, { partitions: 1 })
    servers.create(topics.dlq, { partitions: profilerShards })
    for (const name of [
      'log.evaluator',
      'log.governor',
      topics.requests,
      topics.facts,
      topics.alerts,
      topics.evidence,
    ]) {
      servers.create(name, { partitions: deploymentShards })
    }
    servers.create(topics.commands, { partitions: deploymentShards, compacted: true })
    servers.create(topics.snapshots, { partitions: 1, compacted: true })
  }

  /** Production services answer, and tell of it every other second. */
  private serve(chance: Chance): void {
    this.simulation.after(this.pace.factor * chance.between(1_600, 2_400), () => {
      for (const traffic of this.traffics) traffic.next()
      if (!this.isOver) this.serve(chance)
    })
  }

  /** S2, F15: exposure is lent. An agent that hears nothing takes it back when the policy's time is over. */
  private watchGrants(): void {
    this.simulation.after(2_000 * this.pace.factor, () => {
      const { grantMs, factor } = this.pace
      // The grant, the policy's `loss-of-guardrail` (3 grants later: roll back), and time to act.
      const mostMs = 4 * grantMs + 20_000 * factor
      const isAlone = this.services.every(({ name }) => name !== 'agent-2')
      const isUp =
        this.service('agent').isRunning && this.simulation.now - this.service('agent').runsSince > 20_000 * factor
      if (this.agentCutSince !== null && this.simulation.now - this.agentCutSince > mostMs && isAlone && isUp) {
        for (const { deployment, state, mood, moodMs } of this.platforms.values()) {
          if (mood !== 'well' || moodMs < 30_000 * factor || state.candidate === null || state.share === 0) continue
          this.accuse(
            'S2',
            deployment,
            `a candidate has a share of ${state.share}, and its agent was cut off ${mostMs} ms ago and more`,
          )
        }
      }
      if (!this.isOver) this.watchGrants()
    })
  }

  /** S13: each few seconds what waits is counted. */
  private watchBounds(): void {
    this.simulation.after(5_000 * this.pace.factor, () => {
      this.bounds.sample(this)
      if (!this.isOver) this.watchBounds()
    })
  }

  /** Brokers compact when they like. */
  private compact(): void {
    this.simulation.after(15_000 * this.pace.factor, () => {
      if (this.isOver) return
      this.servers.compact(topics.snapshots, 0)
      for (let shard = 0; shard < deploymentShards; shard++) this.servers.compact(topics.commands, shard)
      this.compact()
    })
  }
}

function isService(holder: string): boolean {
  return keysetOf(1).keys.some((key) => key.holder === holder && !key.roles.includes('person')) || holder === rootName
}
