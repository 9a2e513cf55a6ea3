import {
  contentHash,
  type DeploymentId,
  type Document,
  type Hash,
  type KeysetDocument,
  type PersonId,
  type PolicyDocument,
  type Request,
  type RequestRecord,
  type StateOut,
  shardOf,
  signRequest,
  topics,
} from '@interlock/contracts'
import { type EventLog, type SimulatedProcess, withDeadlines } from '@interlock/runtime'
import {
  baselineOf,
  deploymentDocument,
  deployments,
  environment,
  keysetOf,
  manifestOf,
  policyDocument,
  policySource,
  rootName,
  signerNamed,
  versionOf,
  versionsEach,
} from './cast.ts'
import { deploymentShards } from './parts.ts'
import { Chance } from './streams.ts'
import type { World } from './world.ts'

/** People with keys of their own: they introduce the deployments, roll out, and press buttons. */
export class People {
  readonly policy: PolicyDocument
  readonly policyHash: Hash
  /** Envelopes that were sent: somebody may send them again. */
  readonly envelopes: { readonly shard: number; readonly deployment: DeploymentId; readonly value: Uint8Array }[] = []
  private readonly world: World
  private readonly log: EventLog
  private readonly process: SimulatedProcess
  private readonly chance: Chance
  private requests = 0
  private readonly nextVersion = new Map<DeploymentId, number>(deployments.map((each) => [each, 2]))
  private isStopped = false

  constructor(world: World) {
    this.world = world
    this.policy = policyDocument('ada', policySource(world.pace))
    this.policyHash = contentHash(this.policy)
    this.process = world.simulation.process('people')
    this.log = withDeadlines(world.servers.handle(this.process), this.process.clock)
    this.chance = new Chance(world.seed, 'people')
  }

  stop(): void {
    this.isStopped = true
  }

  /** Sends the keyset and all documents, registers and approves: as `interlock up` and two people would. */
  async introduce(): Promise<void> {
    for (let shard = 0; shard < deploymentShards; shard++) {
      const there = deployments.filter((each) => shardOf(each, deploymentShards) === shard)
      if (there[0] !== undefined) await this.keyset(keysetOf(1), there[0])
    }
    await Promise.all(deployments.map((deployment) => this.introduceOne(deployment)))
  }

  keyset(document: KeysetDocument, at: DeploymentId): Promise<void> {
    return this.ask(rootName, at, { kind: 'document', document }, `keyset-${document.version}-${at}`)
  }

  private async introduceOne(deployment: DeploymentId): Promise<void> {
    const document = deploymentDocument(deployment)
    const send = (one: Document, by = 'ada') => this.ask(by, deployment, { kind: 'document', document: one })
    for (let number = 1; number <= versionsEach; number++) {
      await send(baselineOf(versionOf(deployment, number)))
      await send(manifestOf(versionOf(deployment, number)))
    }
    await send(this.policy)
    await send(document)
    await this.ask('ada', deployment, { kind: 'register', deployment, document: contentHash(document) })
    for (const object of [contentHash(document), this.policyHash]) await this.approve('bea', deployment, object)
  }

  approve(by: string, deployment: DeploymentId, object: Hash): Promise<void> {
    return this.ask(by, deployment, { kind: 'approve', deployment, object, comment: '' })
  }

  /** Rolls out version after version, some of them sick, and now and then presses a button. */
  live(deployment: DeploymentId): void {
    const again = (): void => {
      this.world.simulation.after(this.world.pace.factor * this.chance.between(5_000, 20_000), () => {
        if (this.isStopped) return
        void this.act(deployment).catch((error: Error) => this.world.tell('people', error.message))
        again()
      })
    }
    again()
  }

  private async act(deployment: DeploymentId): Promise<void> {
    const state = this.world.stateOf(deployment)
    if (state === null) return
    const { phase, order } = state.view
    const because = { deployment, reason: 'drill' } as const
    const severity = order[2]
    const dice = this.chance.random()
    if (phase === 'rolling-out') {
      if (dice < 0.06) return this.ask('cho', deployment, { kind: 'hold', ...because })
      if (
        dice < 0.3 &&
        state.view.holds.some(
          ({ owner }) => owner.startsWith('person:') || owner === 'expired' || owner === 'agent' || owner === 'grant',
        )
      )
        return this.ask('cho', deployment, { kind: 'release-hold', ...because })
      if (dice < 0.34) return this.ask('ada', deployment, { kind: 'rollback', ...because })
      if (dice < 0.37) return this.ask('cho', deployment, { kind: 'halt', ...because })
      if (dice < 0.39) return this.ask('vic', deployment, { kind: 'halt', ...because })
      return
    }
    if (severity === 1 || severity === 2 || severity === 4) {
      if (dice < 0.5)
        await this.ask(this.chance.of(['cho', 'dan', 'bea', 'ada', 'vic']), deployment, { kind: 'restore', ...because })
      return
    }
    if (severity === 3 && dice < 0.05) {
      return this.ask(this.chance.of(['cho', 'dan', 'bea']), deployment, { kind: 'restore', ...because })
    }
    const personal = state.view.holds.some(({ owner }) => owner.startsWith('person:') || owner === 'agent')
    if (personal && dice < 0.5) return this.ask('cho', deployment, { kind: 'release-hold', ...because })
    if (phase === 'steady' || phase === 'rolled-back') await this.rollOut(deployment, state)
  }

  private async rollOut(deployment: DeploymentId, state: StateOut): Promise<void> {
    const standing = [state.view.stable, state.view.candidate].map((version) => Number(version?.split('@v')[1] ?? 1))
    const number = Math.max(this.nextVersion.get(deployment) ?? 2, ...standing.map((each) => each + 1))
    if (number > versionsEach) return
    const candidate = versionOf(deployment, number)
    const tries = this.world.rolledBackVersions(deployment)
    if (tries.includes(candidate)) this.nextVersion.set(deployment, number + 1)
    else this.world.fallIll(deployment, candidate)
    await this.ask('ada', deployment, {
      kind: 'rollout',
      deployment,
      candidate,
      manifest: contentHash(manifestOf(candidate)),
      policy: this.policyHash,
    })
  }

  /** Signs and sends until the log says where it is: the id makes a repetition harmless. */
  async ask(by: string, deployment: DeploymentId, request: Request, id = `request-${++this.requests}`): Promise<void> {
    const record: RequestRecord = { v: 1, id, environment, by: by as PersonId, request, at: this.process.clock.now() }
    const value = this.world.posted(signRequest(record, signerNamed(by)), record)
    const shard = shardOf(deployment, deploymentShards)
    if (request.kind !== 'document') {
      this.world.tell(deployment, `${by} asks: ${request.kind}`)
      this.envelopes.push({ shard, deployment, value })
    }
    for (;;) {
      const answer = await this.log
        .append(topics.requests, shard, { key: Buffer.from(deployment), value })
        .catch(() => 'unknown' as const)
      if (answer !== 'unknown') return
      await this.process.clock.sleep(1_000)
    }
  }
}
