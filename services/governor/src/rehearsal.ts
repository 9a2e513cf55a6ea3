import {
  type AgentId,
  type AnyOut,
  type Command,
  contentHash,
  type DecisionOut,
  type DeploymentId,
  type Document,
  decodeOut,
  type Evidence,
  type EvidenceOut,
  encodeOut,
  type Fact,
  type Guardrail,
  type GuardrailEvidence,
  type Hash,
  type Input,
  type Observed,
  type PersonId,
  type Policy,
  type Request,
  type ServedOut,
  type StateOut,
  sha256,
  signerOf,
  signFact,
  signRequest,
  type Variant,
  type VersionId,
  type WatchOut,
} from '@interlock/contracts'
import { createFleet, type FleetState } from './fleet/processor.ts'
import { createGovernor, rootHolder } from './processor.ts'
import {
  agentName,
  baselineOf,
  deploymentDocument,
  digestOf,
  flights,
  keyOf,
  keyset,
  manifestOf,
  policyDocument,
  policyOf,
  policySource,
  publicBytes,
  v1,
  v2,
} from './rehearsal-cast.ts'
import type { GovernorState } from './state.ts'

/** A governor on a stage: people and an agent with keys of their own, and a clock that the test turns. Tests only. */

/** How one guardrail's evidence looks: far from, at, or beyond its limit. */
export interface Look {
  readonly harm?: number
  readonly safe?: number
  readonly low?: number
  readonly high?: number
  readonly status?: Evidence['status']
  readonly onset?: number
  readonly producer?: string
  /** One small source alone shows harm of this size. */
  readonly alone?: string
}

export class Rehearsal {
  readonly config = { environment: 'test', shards: 1, rootKey: publicBytes('root').toString('base64') }
  readonly governor = createGovernor(this.config)
  state: GovernorState = this.governor.empty(0)
  time = 1_700_000_000_000
  outs: AnyOut[] = []
  readonly source: string
  readonly policy: Policy
  /** Whether the agent answers commands; a test may take it away. */
  agentAnswers = true
  /** Whether the fleet runs: it takes each step's outs, and what it says comes with the next step. */
  fleetAnswers = true
  readonly fleet = createFleet()
  fleetState: FleetState = this.fleet.empty(0)
  #fromFleet: Input[] = []
  /** Rows a second; a test may stop the traffic. */
  rowsPerPane = 1_000
  readonly evidenceSeen: EvidenceOut[] = []
  /** Source of the policy that a rollout puts on trial; its document must be sent. */
  shadow: string | undefined
  #requests = 0
  #offset = 0n

  constructor(source = policySource) {
    this.source = source
    this.policy = policyOf(source)
  }

  /** One step. Returns what it put out. */
  step(inputs: readonly Input[] = [], advanceMs = 0, caughtUp = true): readonly AnyOut[] {
    this.time += advanceMs
    const taken = [...this.#fromFleet, ...inputs]
    this.#fromFleet = []
    const [state, outs] = this.governor.step(this.state, taken, this.time, caughtUp)
    this.state = state
    // What cannot be written to the log was not put out.
    const written = outs.map((out) => decodeOut(encodeOut(out)))
    this.outs.push(...written)
    if (this.fleetAnswers) this.#runFleet(written)
    return outs
  }

  #runFleet(outs: readonly AnyOut[]): void {
    const batch = outs.map((out) => this.out(out, 'governor'))
    const [state, said] = this.fleet.step(this.fleetState, batch, this.time, true)
    this.fleetState = state
    this.#fromFleet = said.filter(({ kind }) => kind !== 'alert').map((out) => this.out(out, 'fleet'))
  }

  record(topic: string, value: Uint8Array): Input {
    this.#offset += 1n
    return {
      kind: 'record',
      record: { topic, partition: 0, offset: this.#offset, at: this.time, key: null, value, headers: {} },
    }
  }

  out(out: AnyOut, processor = 'evaluator'): Input {
    this.#offset += 1n
    return { kind: 'out', processor, shard: 0, offset: this.#offset, at: this.time, out }
  }

  request(
    by: string,
    request: Request,
    change: { id?: string; environment?: string; key?: string; at?: number } = {},
  ): Input {
    this.#requests += 1
    const { id = `request-${this.#requests}`, environment = 'test', key = by, at = this.time } = change
    const record = { v: 1, id, environment, by: by as PersonId, request, at } as const
    return this.record('requests', signRequest(record, signerOf(keyOf(key))))
  }

  ask(by: string, request: Request): readonly AnyOut[] {
    return this.step([this.request(by, request)])
  }

  fact(fact: Fact, by: string = agentName, deployment: DeploymentId = flights): Input {
    const record = { v: 1, environment: 'test', deployment, by: by as AgentId, fact } as const
    return this.record('facts', signFact(record, signerOf(keyOf(by))))
  }

  documents(): readonly (readonly [string, Document])[] {
    return [
      ['ada', baselineOf(v1)],
      ['ada', baselineOf(v2)],
      ['ada', manifestOf(v1)],
      ['ada', manifestOf(v2)],
      ['ada', policyDocument('ada', this.source)],
      ['ada', deploymentDocument],
    ]
  }

  /** Keys, documents, registration, both approvals, and an agent that says that the stable version is ready. */
  registered(): this {
    this.step([this.request(rootHolder, { kind: 'document', document: keyset }, { key: 'root' })])
    for (const [by, document] of this.documents()) this.ask(by, { kind: 'document', document })
    this.ask('ada', { kind: 'register', deployment: flights, document: contentHash(deploymentDocument) })
    for (const object of [contentHash(deploymentDocument), contentHash(policyDocument('ada', this.source))]) {
      this.ask('bea', { kind: 'approve', deployment: flights, object, comment: 'read' })
    }
    this.observed = this.serving(0, null, 0, false)
    this.seconds(3)
    return this
  }

  rollout(by = 'ada'): readonly AnyOut[] {
    return this.ask(by, {
      kind: 'rollout',
      deployment: flights,
      candidate: v2,
      manifest: contentHash(manifestOf(v2)),
      policy: contentHash(policyDocument('ada', this.source)),
      ...(this.shadow === undefined ? {} : { shadow: contentHash(policyDocument('ada', this.shadow)) }),
    })
  }

  /** A rollout of v2 that every profiler shard counts. */
  rollingOut(): this {
    this.registered()
    this.rollout()
    return this.counting()
  }

  /** The candidate answers its first tenth of the traffic, and that is verified. */
  canary(): this {
    this.rollingOut()
    for (let second = 0; second < 20; second++) {
      this.seconds(1)
      if (this.shown().view.share === 0.1 && this.shown().command?.state === 'verified') return this
    }
    throw new Error('the canary did not begin')
  }

  counting(): this {
    const watch = this.last('watch')
    this.step([
      this.out({ kind: 'ready-to-count', deployment: flights, generation: watch.generation, spec: watch.specHash }),
    ])
    return this
  }

  observed: Observed = this.serving(0, null, 0, false)

  serving(generation: number, candidate: Hash | null, share: number, shadow: boolean, stable = v1): Observed {
    return { version: 'token', generation, stable: digestOf(stable), candidate, share, shadow, fallback: false }
  }

  /** Lets time pass a second at a time: the agent obeys, traffic follows the weights, a pane closes each second. */
  seconds(count: number, look: Readonly<Record<string, Look>> = {}): this {
    for (let second = 0; second < count; second++) {
      this.time += 1_000
      const inputs: Input[] = []
      if (this.agentAnswers) inputs.push(...this.agent())
      if (this.rowsPerPane > 0) inputs.push(this.out(this.served()))
      inputs.push(this.out(this.evidence(look)))
      this.step(inputs)
    }
    return this
  }

  /** What a good agent says: it took the newest command, the platform does it, and both versions are ready. */
  agent(): readonly Input[] {
    const command = this.newest()
    const inputs: Input[] = []
    if (command !== null) {
      const { desired, order } = command
      this.observed = {
        version: 'token',
        generation: order[0],
        stable: desired.target,
        candidate: desired.candidate,
        share: desired.shareMax,
        shadow: desired.shadow,
        fallback: desired.fallback,
      }
      inputs.push(
        this.fact({ kind: 'received', order }),
        this.fact({ kind: 'applied', order, observed: this.observed }),
      )
    }
    inputs.push(this.fact({ kind: 'observed', order: command?.order ?? null, observed: this.observed }))
    for (const version of [v1, v2]) {
      inputs.push(this.fact({ kind: 'readiness', target: digestOf(version), ready: { ok: true, checks: [] } }))
    }
    return inputs
  }

  /** Rows of the open pane by the platform's weights. */
  rows(): ServedOut['counts'] {
    const { stable, candidate, share, shadow } = this.observed
    const versionOf = (digest: Hash | null): VersionId => (digest === digestOf(v2) ? v2 : v1)
    const counts: { version: VersionId; variant: Variant; rows: number }[] = []
    const toCandidate = Math.round(this.rowsPerPane * share)
    if (toCandidate < this.rowsPerPane) {
      counts.push({ version: versionOf(stable), variant: 'stable', rows: this.rowsPerPane - toCandidate })
    }
    if (toCandidate > 0) counts.push({ version: versionOf(candidate), variant: 'candidate', rows: toCandidate })
    if (shadow) counts.push({ version: versionOf(candidate), variant: 'shadow', rows: this.rowsPerPane })
    return counts
  }

  served(): ServedOut {
    return { kind: 'served', deployment: flights, generation: 0, pane: this.time, counts: this.rows() }
  }

  /** Evidence of the newest closed pane; every rule is well and every gate safe where `look` says nothing. */
  evidence(look: Readonly<Record<string, Look>> = {}, change: Partial<EvidenceOut> = {}): EvidenceOut {
    const watch = this.last('watch')
    const paneMs = watch.policy.times.paneMs
    const pane = this.time - this.policy.times.latenessMs - paneMs
    const guardrails = this.entries(watch.policy, watch, look, pane + paneMs)
    const summaries = this.rows().map((count) => ({
      ...count,
      errors: 0,
      latencyMs: { p50: 5, p90: 9, p99: 20 },
      predictions: [],
    }))
    const content = {
      kind: 'evidence',
      deployment: flights,
      generation: watch.generation,
      pane,
      paneMs,
      coverage: 1,
      guardrails,
      summaries,
      totals: [],
      late: 0,
      ...change,
    } as const
    const { shadow } = watch
    const onTrial =
      shadow === undefined
        ? {}
        : { shadow: { policy: shadow.hash, guardrails: this.entries(shadow.policy, watch, look, pane + paneMs) } }
    const out = { ...content, hash: contentHash(content), ...onTrial }
    this.evidenceSeen.push(out)
    return out
  }

  /** Every rule of a policy about the versions that it watches. */
  entries(policy: Policy, watch: WatchOut, look: Readonly<Record<string, Look>>, dataTo: number): GuardrailEvidence[] {
    const entries: GuardrailEvidence[] = []
    const add = (guardrail: Guardrail, version: VersionId, variant: Variant): void => {
      const own = look[`${guardrail.id}/${version === v1 ? 'v1' : 'v2'}`] ?? {}
      entries.push(evidenceOf(guardrail, version, variant, own, dataTo))
    }
    for (const guardrail of policy.guardrails) {
      if (watch.candidate !== null) add(guardrail, watch.candidate, this.observed.shadow ? 'shadow' : 'candidate')
      if (guardrail.reference !== 'stable') add(guardrail, watch.stable, 'stable')
    }
    return entries
  }

  newest(): Command | null {
    return this.outs.filter((out) => out.kind === 'command').at(-1)?.command ?? null
  }

  last<Kind extends AnyOut['kind']>(kind: Kind): Extract<AnyOut, { kind: Kind }> {
    const found = this.outs.filter((out): out is Extract<AnyOut, { kind: Kind }> => out.kind === kind).at(-1)
    if (found === undefined) throw new Error(`no ${kind} was put out`)
    return found
  }

  decisions(): readonly DecisionOut[] {
    return this.outs.filter((out) => out.kind === 'decision')
  }

  /** The story so far, in outcomes. */
  outcomes(): readonly string[] {
    return this.decisions().map(({ outcome }) => outcome)
  }

  shown(): StateOut {
    return this.last('state')
  }
}

/** Evidence of ln e-values; a limit of ln 3,000 and enough rows. */
export const limit = 8

export function evidenceOf(
  guardrail: Guardrail,
  version: VersionId,
  variant: Variant,
  look: Look,
  dataTo: number,
): GuardrailEvidence {
  const { safe = 10, status = 'ok', onset, producer, alone } = look
  const { harm: shown = 0 } = look
  const harm = alone === undefined ? shown : 0
  const isRate = guardrail.detector === 'conditional-beta-binomial'
  const beyond = shown > 0
  const low = look.low ?? (beyond ? (isRate ? 2 : 0.2) : isRate ? 0.9 : 0)
  return {
    guardrail: guardrail.id,
    version,
    variant,
    limit,
    evidence: {
      status,
      logE: { harm, safe: guardrail.role === 'gate' ? safe : 0 },
      effect: { estimate: low, low, high: look.high ?? low + 0.5 },
      n: 5_000,
      m: 5_000,
      events: { now: beyond ? 120 : 50, reference: 50 },
      phi: 1,
      onset: onset === undefined ? null : { from: onset, to: onset + 1_000 },
      drivers: [
        { dimension: 'bin', value: '1,000 and more', share: 0.8, now: 0.4, reference: 0.1 },
        ...(producer === undefined
          ? []
          : [{ dimension: 'producer', value: producer, share: 0.9, now: 0.4, reference: 0 }]),
      ],
      ...(alone === undefined ? {} : { alone: { source: alone, traffic: 0.04, logE: shown } }),
      dataTo,
      window: sha256('window'),
    },
  }
}
