import {
  type AlertOut,
  type AnyOut,
  contentHash,
  type DecisionKind,
  type DecisionOut,
  type DeploymentId,
  type DeploymentView,
  type EngineState,
  type EvidenceOut,
  type GuardrailEvidence,
  type Hash,
  hashFields,
  type Order,
  type PersonId,
  type StateOut,
  type Variant,
  type Verdict,
  type VersionId,
} from '@interlock/contracts'
import { type Fact, factOfEvidence, say } from '@interlock/policy'
import type { Console } from '../api.ts'
import { flightsPolicy, flightsPolicyHash } from './flights-policy.ts'
import { allEngines, none, randomOf, summary, v1, v2, verdictOf } from './story-panes.ts'

const paneMs = flightsPolicy.times.paneMs
const digest = { [v1]: contentHash(v1), [v2]: contentHash(v2) } as Readonly<Record<string, Hash>>

export interface StoryOptions {
  readonly feed: Console['feed']
  readonly deployment?: string
  /** Start of the first pane, ms. */
  readonly start: number
}

/** How far the fault went: ln e of flight distance against stable, and whether v1 has it too. */
interface Fault {
  readonly logE: number
  readonly both: boolean
}

/**
 * A rollout as the governor and the evaluator would tell it, at the caller's pace. Everything random follows from the
 * pane's number. For tests of the console and for those who work at its page; nothing here decides anything.
 */
export class Story {
  readonly #options: StoryOptions
  readonly deployment: DeploymentId
  readonly #spec = contentHash('spec')
  #offset = 0n
  #sequence = 0
  #panes = 0
  #stageIndex = -1
  #stageSince: number | null = null
  #totals = { [v1]: 0, [v2]: 0 } as Record<string, number>
  #order: Order = [0, 0, 0, 0]
  #phase: DeploymentView['phase'] = 'registered'
  #command: StateOut['command'] = null
  #sentence = ''
  #fault: Fault = { logE: 0, both: false }
  #onset: number | null = null
  #errors = 0
  #stable = v1
  #candidate: VersionId | null = null
  #left: VersionId | null = null
  #holds: DeploymentView['holds'] = []
  #last: EvidenceOut | null = null
  #view: DeploymentView = this.#viewNow()

  constructor(options: StoryOptions) {
    this.#options = options
    this.deployment = (options.deployment ?? 'flight-delay') as DeploymentId
    this.#view = this.#viewNow()
  }

  /** End of the last pane; time of what is told next. */
  get at(): number {
    return this.#options.start + this.#panes * paneMs
  }

  register(): void {
    this.#phase = 'steady'
    this.#watch()
    this.#decide('registered', 'request', { kind: 'registered', deployment: this.deployment, version: v1 }, 'author')
    this.#decide(
      'approved',
      'request',
      { kind: 'approved', what: 'the policy "flight-delay"', by: 'approver' },
      'approver',
    )
    this.state('watch')
  }

  startRollout(): void {
    this.#candidate = v2
    this.#phase = 'rolling-out'
    this.#order = [1, 0, 0, 1]
    this.#watch()
    const fact = { kind: 'rollout-started', deployment: this.deployment, candidate: v2, stable: v1, stages: 5 } as const
    this.#decide('rollout-started', 'request', fact, 'author')
    this.enter(0)
  }

  /** Moves on to a stage; the command that does it is verified at once. */
  enter(index: number): void {
    const stage = flightsPolicy.stages[index]!
    const from = flightsPolicy.stages[this.#stageIndex]?.share ?? 0
    this.#stageIndex = index
    this.#stageSince = this.at
    this.#order = [this.#order[0], 0, 0, this.#order[3] + 1]
    const fact: Fact = stage.shadow
      ? { kind: 'shadow-started', candidate: v2, stable: v1 }
      : { kind: 'promoted', candidate: v2, from, to: stage.share }
    const decision = this.#decide('promoted', 'gates', fact)
    const { at } = this
    const times = { issued: at, sent: at, received: at + 200, applied: at + 700, verified: at + 1_900 }
    this.#command = { order: this.#order, state: 'verified', desired: this.#desired(), decision, times }
    this.#sentence = say({
      kind: 'stage',
      candidate: v2,
      share: stage.share,
      shadow: stage.shadow,
      stage: index + 1,
      stages: 5,
    }).text
    this.state('watch')
  }

  /** v2's distance turns into kilometres: evidence grows by so much a pane from now on. */
  fault(logEPerPane: number, both = false): void {
    this.#onset ??= this.at
    this.#fault = { logE: logEPerPane, both }
  }

  /** Closes a pane. `coverage` below 1: a shard is missing. `rows: 0`: no traffic. */
  pane({ coverage = 1, rows = 1_500 }: { readonly coverage?: number; readonly rows?: number } = {}): void {
    const pane = this.at
    this.#panes++
    const random = randomOf(this.#panes)
    const share = this.#candidate === null ? 0 : (flightsPolicy.stages[this.#stageIndex]?.share ?? 0)
    const isShadow = flightsPolicy.stages[this.#stageIndex]?.shadow === true && this.#candidate !== null
    const own = Math.round(rows * (isShadow ? 1 : share))
    const other = isShadow ? rows : rows - own
    const summaries = [
      summary(v1, 'stable', other, random, false),
      ...(this.#candidate === null && this.#left === null
        ? []
        : [summary(v2, isShadow ? 'shadow' : 'candidate', own, random, this.#onset !== null)]),
    ]
    this.#totals[v1]! += other
    this.#totals[v2]! += own
    if (this.#onset !== null && own > 0 && coverage === 1) this.#errors += this.#fault.logE
    const status = rows === 0 ? 'no-data' : coverage < 1 ? 'incomplete' : 'ok'
    const content = {
      deployment: this.deployment,
      generation: this.#order[0],
      pane,
      paneMs,
      coverage,
      guardrails: this.#guardrails(status, random),
      summaries,
      totals: summaries.map(({ version, variant }) => ({ version, variant, rows: this.#totals[version]! })),
      late: 0,
    }
    const out: EvidenceOut = { kind: 'evidence', ...content, hash: contentHash(content) }
    this.#last = out
    this.#tell('evaluator', out)
    const spans = [0, 1].map((partition) => ({
      topic: 'predictions',
      partition,
      from: 0n,
      to: BigInt(((this.#totals[v1]! + this.#totals[v2]!) / 2) | 0),
    }))
    const { deployment } = this
    const generation = out.generation
    this.#tell('evaluator', { kind: 'lineage', deployment, generation, pane, evidence: out.hash, spans })
    const counts = summaries.map(({ version, variant, rows: count }) => ({ version, variant, rows: count }))
    this.#tell('evaluator', { kind: 'served', deployment, generation, pane, counts })
  }

  /** Rolls back by the machine, on the evidence of flight distance. */
  breach(): Hash {
    const leading = this.#last!.guardrails.find(
      ({ guardrail, version }) => guardrail === 'inputs.distance' && version === v2,
    )!
    const because = say(this.#factOf(leading, 'breach')).brief
    return this.#rollBack('inputs.distance', { by: null, because }, leading)
  }

  /** Rolls back because a person asked. */
  rollBackBy(person: string, reason: string): Hash {
    return this.#rollBack('request', { by: person, because: reason }, null)
  }

  /** Both versions are hit: nothing is rolled back. */
  dataIncident(source: string): void {
    const leading = this.#last!.guardrails.find(({ guardrail }) => guardrail === 'since-training.distance')!
    const because = say(this.#factOf(leading, 'breach')).brief
    this.#holds = [{ owner: 'data', reason: because }]
    const fact = { kind: 'data-incident', source, candidate: this.#candidate, stable: v1, because } as const
    this.#decide('data-incident', leading.guardrail, fact, 'governor', leading)
    this.#sentence = say(fact).text
    this.state('act-now', [say({ kind: 'waits-for-hold', owner: 'a data incident', reason: because }).text])
  }

  /** How far the newest command came. */
  command(state: 'received' | 'applied' | 'verified' | 'escalated'): void {
    if (this.#command === null) return
    const at = this.at
    this.#command = { ...this.#command, state, times: { ...this.#command.times, [state]: at } }
    if (state === 'verified' && this.#phase === 'rolling-back') {
      this.#phase = 'rolled-back'
      const { issued = at } = this.#command.times
      const fact = { what: 'roll-back', version: v1, at, afterMs: at - issued, affected: 1_312, by: 'traffic' } as const
      this.#decide('verified', 'verification', { kind: 'verified', ...fact })
      this.#sentence = say({ kind: 'verified', ...fact }).text
    }
    if (state === 'escalated') {
      const fact = { what: 'roll-back', reason: 'disagrees', share: 0.08, version: v2, sent: 2 } as const
      this.#decide('escalated', 'verification', { kind: 'escalated', ...fact })
      this.#sentence = say({ kind: 'escalated', ...fact }).text
    }
    this.state(state === 'verified' && this.#order[2] > 0 ? 'handled' : this.#order[2] > 0 ? 'act-now' : 'watch')
  }

  notWatched(): void {
    const fact = { kind: 'not-watched', since: this.at, reason: 'no-data', stable: v1 } as const
    this.#decide('not-watched', 'silence', fact)
    this.#sentence = say(fact).text
    this.state('not-watched', [say(fact).text])
  }

  /** The candidate answers everybody and passed every rule. */
  complete(): void {
    this.#stable = v2
    this.#candidate = null
    this.#stageIndex = -1
    this.#stageSince = null
    this.#phase = 'steady'
    this.#decide('completed', 'gates', { kind: 'completed', candidate: v2, stable: v1 })
    this.#sentence = say({ kind: 'steady', version: v2, checked: true }).text
    this.state('healthy')
  }

  /** Everybody is answered by a version that passes all rules. */
  steady(): void {
    this.#sentence = say({ kind: 'steady', version: this.#stable, checked: true }).text
    this.state('healthy')
  }

  state(
    attention: StateOut['attention'],
    blocked?: readonly string[],
    engines: readonly EngineState[] = allEngines,
  ): void {
    const verdicts = (this.#last?.guardrails ?? []).flatMap((one) => {
      if (one.version === this.#left || one.evidence.n === 0) return []
      const verdict = verdictOf(one)
      return [
        { guardrail: one.guardrail, version: one.version, verdict, sentence: say(this.#factOf(one, verdict)).text },
      ]
    })
    const stage = flightsPolicy.stages[this.#stageIndex]
    const waiting =
      stage === undefined || this.#candidate === null
        ? []
        : [
            say({ kind: 'waits-for-time', leftMs: 3_000 }).text,
            ...verdicts.filter(({ verdict }) => verdict === 'inconclusive').map(({ sentence }) => sentence),
          ]
    this.#view = this.#viewNow()
    this.#tell('governor', {
      kind: 'state',
      deployment: this.deployment,
      at: this.at,
      view: this.#view,
      attention,
      sentence: this.#sentence === '' ? say({ kind: 'steady', version: v1, checked: false }).text : this.#sentence,
      engines,
      blocked: blocked ?? (this.#order[2] > 0 ? [] : waiting),
      verdicts,
      stageSince: this.#stageSince,
      command: this.#command,
      dataTo: this.#last === null ? null : this.#last.pane + paneMs,
    })
  }

  #rollBack(rule: string, cause: { by: string | null; because: string }, leading: GuardrailEvidence | null): Hash {
    const fact = { kind: 'rolled-back', from: v2, to: v1, ...cause } as const
    this.#order = [this.#order[0], 0, 3, this.#order[3] + 1]
    this.#phase = 'rolling-back'
    this.#left = v2
    this.#candidate = null
    this.#stable = v1
    this.#stageIndex = -1
    this.#stageSince = null
    const decision = this.#decide('rolled-back', rule, fact, cause.by ?? 'governor', leading)
    const times = { issued: this.at, sent: this.at }
    this.#command = { order: this.#order, state: 'issued', desired: this.#desired(), decision, times }
    this.#sentence = say(fact).text
    this.#alert(decision)
    this.state('act-now')
    return decision
  }

  #alert(decision: Hash): void {
    const alert: AlertOut = {
      kind: 'alert',
      id: `${this.deployment}/${this.#sequence}`,
      deployment: this.deployment,
      at: this.at,
      attention: 'act-now',
      sentence: this.#sentence,
      done: say({ kind: 'command', what: 'roll-back', state: 'issued', sent: 1 }).text,
      asked: say({ kind: 'asked-review', version: v2 }).text,
      decision,
      resolves: null,
    }
    this.#tell('governor', alert)
  }

  #decide(
    outcome: DecisionKind,
    rule: string,
    fact: Fact,
    by = 'governor',
    guardrail: GuardrailEvidence | null = null,
  ): Hash {
    this.#sequence++
    const evidence = guardrail === null ? null : this.#last!.hash
    const id = hashFields(
      flightsPolicyHash,
      evidence ?? '',
      rule,
      outcome,
      this.deployment,
      this.#order[0],
      this.#sequence,
    )
    const before = this.#view
    this.#view = this.#viewNow()
    const decision: DecisionOut = {
      kind: 'decision',
      id,
      deployment: this.deployment,
      environment: 'production',
      generation: this.#order[0],
      sequence: this.#sequence,
      at: this.at,
      outcome,
      rule,
      facts: fact,
      text: say(fact).text,
      evidence,
      guardrail,
      policy: flightsPolicyHash,
      by,
      before,
      after: this.#view,
    }
    this.#tell('governor', decision)
    return id
  }

  #guardrails(status: GuardrailEvidence['evidence']['status'], random: () => number): readonly GuardrailEvidence[] {
    const versions = this.#candidate === null && this.#left === null ? [this.#stable] : [v1, v2]
    return flightsPolicy.guardrails.flatMap(({ id, reference }) =>
      (reference === 'stable' ? versions.filter((version) => version === v2) : versions).map((version) => {
        const isFaulty = this.#onset !== null && id.endsWith('.distance') && id !== 'lost.distance'
        const hit =
          isFaulty && (version === v2 || this.#fault.both) && (reference === 'stable' ? !this.#fault.both : true)
        const harm = hit ? this.#errors * (reference === 'stable' ? 1 : 0.6) : Math.max(0, random() * 1.5 - 0.8)
        const n = this.#totals[version]!
        const events =
          id === 'errors' ? { now: Math.round(n * 0.002), reference: Math.round(this.#totals[v1]! * 0.002) } : none
        const variant: Variant = version === this.#stable ? 'stable' : 'candidate'
        return {
          guardrail: id,
          version,
          variant,
          limit: reference === 'stable' ? 8.7 : 10.4,
          evidence: {
            status: n < 50 ? 'too-few' : status,
            logE: { harm, safe: Math.min(6, n / 900) },
            effect: { estimate: hit ? 0.21 : 0.004, low: hit ? 0.18 : 0, high: hit ? 0.25 : 0.02 },
            n,
            m: this.#totals[v1]!,
            events,
            phi: 1,
            onset: hit ? { from: this.#onset!, to: this.#onset! } : null,
            drivers: hit ? [{ dimension: 'bin', value: '1,600 and more', share: 0.7, now: 0.25, reference: 0.08 }] : [],
            ...(hit ? { typical: { now: 1_120, reference: 700 } } : {}),
            dataTo: this.at,
            window: contentHash([id, version]),
          },
        }
      }),
    )
  }

  #factOf(one: GuardrailEvidence, verdict: Verdict): Fact {
    const rule = flightsPolicy.guardrails.find(({ id }) => id === one.guardrail)!
    const spec = { features: [], classes: ['late', 'on time'] } as unknown as Parameters<
      typeof factOfEvidence
    >[3]['spec']
    return factOfEvidence(one, rule, verdict, { policy: flightsPolicy, spec, stable: v1, baselines: [] })
  }

  #watch(): void {
    this.#tell('governor', {
      kind: 'watch',
      deployment: this.deployment,
      document: {
        kind: 'deployment',
        deployment: this.deployment,
        environment: 'production',
        tenant: 'demo',
        owner: 'author' as PersonId,
        onCall: 'operator' as PersonId,
        approver: 'approver' as PersonId,
        riskClass: 'medium',
        topics: { predictions: 'predictions' },
        mapping: {},
        segments: ['airport'],
        platform: { kind: 'router', agent: 'agent' },
        stable: v1,
      },
      generation: this.#order[0],
      stable: this.#stable,
      candidate: this.#candidate,
      spec: {
        v: 1,
        features: [],
        latencyEdgesMs: [0, 1],
        scoreEdges: [0, 1],
        classes: ['late', 'on time'],
        segments: [],
        producers: [],
      },
      specHash: this.#spec,
      policyHash: flightsPolicyHash,
      policy: flightsPolicy,
      baselines: [],
      from: this.at,
    })
  }

  #desired() {
    const stage = flightsPolicy.stages[this.#stageIndex]
    return {
      target: digest[this.#stable]!,
      candidate: this.#candidate === null ? null : digest[this.#candidate]!,
      shareMax: this.#candidate === null ? 0 : (stage?.share ?? 0),
      shadow: stage?.shadow ?? false,
      pace: 'at-once' as const,
      fallback: false,
    }
  }

  #viewNow(): DeploymentView {
    const stage = flightsPolicy.stages[this.#stageIndex]
    return {
      phase: this.#phase,
      generation: this.#order[0],
      stable: this.#stable,
      candidate: this.#candidate,
      stage: stage?.name ?? null,
      stageIndex: this.#stageIndex,
      share: this.#candidate === null ? 0 : (stage?.share ?? 0),
      holds: this.#holds,
      order: this.#order,
    }
  }

  #tell(processor: 'governor' | 'evaluator', out: AnyOut): void {
    this.#options.feed(processor, 0, this.#offset++, this.at, out)
  }
}
