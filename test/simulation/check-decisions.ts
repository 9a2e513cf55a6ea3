import {
  type Command,
  canonicalJson,
  compareOrders,
  contentHash,
  type DecisionOut,
  type EvidenceOut,
  type FactRecord,
  type GuardrailEvidence,
  type Order,
  type PolicyDocument,
  type RequestRecord,
  type StateOut,
  shardOf,
  topics,
  type WatchOut,
} from '@interlock/contracts'
import { agentName, environment, type Pace, paces, policyDocument, policySource } from './cast.ts'
import type { Landed, Seen } from './runs.ts'
import type { Accuse } from './violation.ts'

const safeLimit = Math.log(20)
const maxDecisionAgeMs = 600_000

/** The world's own words for what people and agents truly sent: bytes to content, and whether it was honest. */
export interface Mail {
  readonly honest: boolean
  readonly content: RequestRecord | FactRecord | null
}

export interface Issued {
  readonly command: Command
  readonly at: number
  /** How often it was laid out. */
  times: number
}

/** What the oracle knows of a deployment, from the governor's valid entries and from what those took. */
export interface Case {
  readonly deployment: string
  readonly decisions: DecisionOut[]
  readonly issued: Map<string, Issued>
  highest: Order | null
  /** Newest evidence that was taken, and all that the entry at hand took or found. */
  evidence: EvidenceOut | null
  atHand: readonly EvidenceOut[]
  state: StateOut | null
  watch: WatchOut | null
  /** Policies that somebody other than the author approved, and who. */
  readonly approvals: Map<string, Set<string>>
  readonly readyGenerations: Set<number>
  readonly generations: Set<number>
  readonly epochs: Set<number>
  readonly lapsedFacts: Set<string>
  sequence: number
}

/**
 * S2, S3, S10 and S11 for the governor: every decision follows from what its shard took. Sequences have no gap; an order is
 * issued once and only rises; nothing automatic lowers severity; only whole, sufficient and fresh evidence promotes; only
 * evidence beyond its limit rolls back, and it is never ignored; nobody approves what they wrote; what was forged does nothing.
 */
export class DecisionChecks {
  readonly cases = new Map<string, Case>()
  private readonly landed: Landed
  private readonly accuse: Accuse
  private readonly mail: ReadonlyMap<string, Mail>
  private readonly shards: number
  private readonly pace: Pace
  private readonly roles: ReadonlyMap<string, readonly string[]>

  constructor(
    landed: Landed,
    shards: number,
    mail: ReadonlyMap<string, Mail>,
    roles: ReadonlyMap<string, readonly string[]>,
    pace: Pace,
    accuse: Accuse,
  ) {
    this.landed = landed
    this.shards = shards
    this.mail = mail
    this.roles = roles
    this.pace = pace
    this.accuse = accuse
  }

  take(seen: Seen): void {
    /** Who honestly asked for what in this entry, by deployment and kind. */
    const asked = new Map<string, Set<string>>()
    const breached = new Map<string, GuardrailEvidence>()
    for (const about of this.cases.values()) about.atHand = about.evidence === null ? [] : [about.evidence]
    for (const each of this.landed.taken(seen)) {
      if ('outs' in each) {
        for (const out of each.outs) {
          if (out.kind === 'evidence') this.hearEvidence(out, breached)
          if (out.kind === 'ready-to-count') this.about(out.deployment).readyGenerations.add(out.generation)
        }
        continue
      }
      const mail = this.mail.get(`${each.topic}/${each.partition}/${each.offset}`)
      if (mail === undefined || !mail.honest || mail.content === null) continue
      if (each.topic === topics.requests) {
        const { by, request } = mail.content as RequestRecord
        if (!('deployment' in request)) continue
        const key = `${request.deployment} ${request.kind}`
        asked.set(key, (asked.get(key) ?? new Set()).add(by))
        if (request.kind === 'approve') {
          const { approvals } = this.about(request.deployment)
          approvals.set(request.object, (approvals.get(request.object) ?? new Set()).add(by))
        }
      } else {
        const { deployment, fact } = mail.content as FactRecord
        if (fact.kind === 'lapsed') this.about(deployment).lapsedFacts.add(fact.order.join('.'))
      }
    }
    for (const out of seen.outs) {
      switch (out.kind) {
        case 'decision':
          this.decision(seen, out, asked)
          break
        case 'command':
          this.command(seen, out.command)
          break
        case 'state':
          this.about(out.deployment).state = out
          break
        case 'watch':
          this.watch(seen, out)
          break
        default:
      }
    }
    for (const [deployment, guardrail] of breached) this.mustAnswer(seen, deployment, guardrail)
  }

  private decision(seen: Seen, out: DecisionOut, asked: ReadonlyMap<string, ReadonlySet<string>>): void {
    const about = this.about(out.deployment)
    const say = (invariant: string, text: string): void =>
      this.accuse(invariant, out.deployment, `decision ${out.sequence} "${out.outcome}" by ${out.rule}: ${text}`)
    if (out.sequence !== about.sequence + 1) say('S1', `follows decision ${about.sequence}`)
    about.sequence = out.sequence
    if (shardOf(out.deployment, this.shards) !== seen.shard) say('S1', `comes from shard ${seen.shard}`)
    if (out.environment !== environment) say('S2', `is for ${out.environment}`)
    if (out.at !== seen.time) say('S4', `is of ${out.at}, and its step's time is ${seen.time}`)
    const isMachine = !this.roles.has(out.by)
    if (!isMachine) this.byPerson(about, out, asked, say)
    const [generation, epoch, severity] = out.after.order
    const [generationBefore, epochBefore, severityBefore] = out.before.order
    if (compareOrders(out.after.order, out.before.order) < 0) say('S3', 'lowers the order')
    if (severity < severityBefore && out.outcome !== 'restored' && out.outcome !== 'rollout-started') {
      say('S3', `lowers severity from ${severityBefore} to ${severity}`)
    }
    if (generation > generationBefore) {
      if (out.outcome !== 'restored' && out.outcome !== 'rollout-started') say('S3', 'raises the generation')
      if (out.outcome === 'rollout-started' && [1, 2, 4].includes(severityBefore)) {
        say('S3', `starts a generation over severity ${severityBefore}`)
      }
      about.generations.add(generation)
    }
    if (epoch > epochBefore) {
      if (out.outcome !== 'restored') say('S3', 'raises the restore epoch')
      about.epochs.add(epoch)
    }
    if (out.outcome === 'restored') this.restored(about, out, say)
    if (out.outcome === 'promoted' || out.outcome === 'completed') this.promoted(seen, about, out, say)
    if (out.outcome === 'rolled-back' && isMachine) this.rolledBack(seen, about, out, say)
    about.decisions.push(out)
  }

  /** A person's decision needs that person's honest request in this very entry, and the role for it. */
  private byPerson(about: Case, out: DecisionOut, asked: ReadonlyMap<string, ReadonlySet<string>>, say: Say): void {
    const kinds: Readonly<Record<string, readonly [kind: string, roles: readonly string[]]>> = {
      held: ['hold', ['deployer', 'on-call', 'release-approver']],
      released: ['release-hold', ['deployer', 'on-call']],
      halted: ['halt', ['deployer', 'on-call', 'release-approver']],
      'rolled-back': ['rollback', ['deployer', 'on-call', 'release-approver']],
      'rollout-started': ['rollout', ['deployer']],
      registered: ['register', ['deployer']],
    }
    if (out.outcome === 'refused') {
      const kind = refusedKinds[out.rule]
      // Whoever signed a restore that waits for the ledger is told when a stronger order came meanwhile: nobody asks then.
      const signed = about.decisions.findLast(({ outcome, rule }) => outcome === 'approved' && rule === 'restore')
      if (kind === 'restore' && signed?.by === out.by && /^a stronger order came/.test(String(out.facts.check))) return
      if (kind !== undefined && !asked.get(`${out.deployment} ${kind}`)?.has(out.by)) say('S2', `${out.by} did not ask`)
      return
    }
    const [kind, roles] = kinds[out.outcome] ?? []
    if (kind === undefined || roles === undefined) return
    // A person's rollback without a good target becomes a halt.
    const also = out.outcome === 'halted' ? 'rollback' : kind
    const isAsked = [kind, also].some((each) => asked.get(`${out.deployment} ${each}`)?.has(out.by))
    if (!isAsked) say('S2', `${out.by} did not ask for it`)
    if (!roles.some((role) => this.roles.get(out.by)?.includes(role))) say('S2', `${out.by} may not do that`)
  }

  private restored(about: Case, out: DecisionOut, say: Say): unknown {
    const { by, second } = out.facts
    if (typeof by !== 'string' || typeof second !== 'string' || by === second)
      return say('S3', `was signed by ${by}, ${second}`)
    for (const person of [by, second]) {
      if (person === 'ada') say('S3', 'was signed by the deployer and author')
      if (!['on-call', 'release-approver'].some((role) => this.roles.get(person)?.includes(role))) {
        say('S3', `was signed by ${person}, who may not`)
      }
    }
    about.epochs.add(out.after.order[1])
  }

  private promoted(seen: Seen, about: Case, out: DecisionOut, say: Say): unknown {
    const generation = out.before.generation
    if (!about.readyGenerations.has(generation)) say('S11', 'not every profiler shard counts under its spec')
    if (out.before.order[2] !== 0) say('S3', `promotes under severity ${out.before.order[2]}`)
    if (out.before.holds.length > 0) say('S3', `promotes while ${out.before.holds.map(({ owner }) => owner)} hold`)
    if (out.rule !== 'gates') return
    const evidence = about.atHand.find(({ hash }) => hash === out.evidence)
    if (evidence === undefined) return say('S4', 'names other evidence than was at hand')
    if (evidence.generation !== generation) return say('S11', 'has no evidence of its generation')
    if (evidence.coverage < 1) say('S11', 'rests on an incomplete pane')
    const { paneMs, latenessMs, stallMs } = this.pace
    if (seen.time - (evidence.pane + paneMs) > paneMs + latenessMs + stallMs + 2_000)
      say('S11', 'rests on stale evidence')
    const candidate = out.before.candidate
    const policy = about.watch?.policy
    for (const rule of policy?.guardrails ?? []) {
      const own = evidence.guardrails.find(
        (each) => each.guardrail === rule.id && each.version === candidate && each.variant !== 'stable',
      )
      if (own === undefined) say('S11', `${rule.id} says nothing of ${candidate}`)
      else if (own.evidence.status !== 'ok') say('S11', `${rule.id} says ${own.evidence.status}`)
      else if (rule.role === 'gate' && own.evidence.logE.safe < safeLimit) say('S11', `gate ${rule.id} is not safe`)
      else if (isBeyond(own)) say('S11', `${rule.id} is in breach`)
    }
    const stage = policy?.stages[out.before.stageIndex]
    const rows = evidence.totals.filter(({ version, variant }) => version === candidate && variant !== 'stable')
    const total = rows.reduce((sum, each) => sum + each.rows, 0)
    if (stage !== undefined && total < stage.minimumSample) say('S11', `has ${total} of ${stage.minimumSample} rows`)
    const command = about.state?.command
    if (
      command !== null &&
      command !== undefined &&
      command.state === 'issued' &&
      seen.outs.every((o) => o.kind !== 'state')
    )
      say('S11', 'its stage was never applied')
    const entered = about.decisions.findLast(({ outcome }) => outcome === 'promoted')
    if (entered !== undefined && stage !== undefined && entered.after.stageIndex === out.before.stageIndex) {
      const age = evidence.pane + this.pace.paneMs - entered.at
      if (stage.minimumMs > 0 && age < stage.minimumMs)
        say('S11', `was in the stage for ${age} of ${stage.minimumMs} ms`)
    }
  }

  private rolledBack(seen: Seen, about: Case, out: DecisionOut, say: Say): unknown {
    // The target of a standing rollback will not do: the next one takes its place, on the same ground.
    if (out.rule === 'retarget' && out.before.order[2] === 3) return
    if (out.rule === 'grant-lapsed') {
      if (about.lapsedFacts.size === 0) say('S4', 'no agent said that its grant lapsed')
      return
    }
    const { guardrail } = out
    if (guardrail === null) return say('S4', 'names no evidence')
    if (guardrail.evidence.status !== 'ok') say('S11', `rests on evidence that is ${guardrail.evidence.status}`)
    const known = about.atHand.some(({ guardrails }) =>
      guardrails.some((each) => canonicalJson(each) === canonicalJson(guardrail)),
    )
    if (!known) say('S4', 'names evidence that was not taken')
    if (guardrail.version !== out.before.candidate) say('S4', `is about ${guardrail.version}`)
    if (seen.time - guardrail.evidence.dataTo > maxDecisionAgeMs) say('S11', 'rests on old evidence')
    const recent = about.decisions.filter(
      (each) =>
        each.outcome === 'rolled-back' &&
        each.rule !== 'retarget' &&
        !this.roles.has(each.by) &&
        each.at > out.at - 3_600_000,
    )
    const most = about.watch?.policy.brakes.rollbacksPerHour ?? 2
    if (recent.length >= most) say('S3', `is the machine's rollback ${recent.length + 1} within an hour`)
  }

  private command(seen: Seen, command: Command): void {
    const about = this.about(command.deployment)
    const name = command.order.join('.')
    const say = (invariant: string, text: string): void =>
      this.accuse(
        invariant,
        command.deployment,
        `command ${name} (governor/${seen.shard} entry ${seen.offset}): ${text}`,
      )
    if (command.environment !== environment) say('S2', `is for environment ${command.environment}`)
    if (command.audience !== agentName) say('S2', `is for ${command.audience}`)
    const known = about.issued.get(name)
    if (known !== undefined) {
      known.times += 1
      if (canonicalJson(known.command) !== canonicalJson(command)) say('S3', 'is issued with two contents')
      return
    }
    if (about.highest !== null && compareOrders(command.order, about.highest) < 0) {
      say('S3', `is lower than ${about.highest.join('.')}`)
    }
    about.highest = command.order
    about.issued.set(name, { command, at: seen.time, times: 1 })
    const { desired, grant } = command
    if (desired.candidate !== null && desired.shareMax > 0 && grant === null)
      say('S2', 'exposes a candidate without a grant')
    if (grant?.onLapse.some((step) => step.desired.shareMax > desired.shareMax))
      say('S2', 'a lapse gives more exposure')
    if (command.order[0] > 0 && !about.generations.has(command.order[0])) {
      const adopted = about.decisions.some(({ rule }) => rule === 'unknown-order')
      if (!adopted) say('S3', 'is of a generation that nobody started')
    }
    if (command.order[1] > 0 && !about.epochs.has(command.order[1]))
      say('S3', 'is of a restore epoch that nobody signed')
  }

  private watch(_seen: Seen, out: WatchOut): void {
    const about = this.about(out.deployment)
    about.watch = out
    const approvers = about.approvals.get(out.policyHash) ?? new Set()
    const honest = [...approvers].filter(
      (person) =>
        !this.authors.has(`${out.policyHash} ${person}`) && this.roles.get(person)?.includes('policy-approver'),
    )
    if (honest.length === 0)
      this.accuse('S10', out.deployment, `a policy is in force that only ${[...approvers]} approved`)
  }

  /** `<policy hash> <person>` of everybody who had a hand in a policy. */
  private readonly authors = new Set<string>()

  /** Somebody sent a policy: whoever did, and whom it names, may not approve it. */
  authored(document: PolicyDocument, by: string): void {
    for (const person of [by, document.author]) this.authors.add(`${contentHash(document)} ${person}`)
  }

  private hearEvidence(out: EvidenceOut, breached: Map<string, GuardrailEvidence>): void {
    const about = this.about(out.deployment)
    const last = about.evidence
    if (last !== null && (out.generation < last.generation || out.pane <= last.pane)) return
    about.evidence = out
    about.atHand = [...about.atHand, out]
    const view = about.state?.view
    if (view === undefined || view === null || out.coverage < 1 || out.generation !== view.generation) return
    if (view.order[2] !== 0 || view.candidate === null || view.stageIndex < 0) return
    const worst = out.guardrails.find(
      (each) =>
        each.version === view.candidate &&
        each.variant !== 'stable' &&
        isBeyond(each) &&
        actionOf(each) === 'roll-back',
    )
    if (worst !== undefined) breached.set(out.deployment, worst)
  }

  /** An abort is never ignored: in the entry that took it something stops the rollout, unless something does already. */
  private mustAnswer(seen: Seen, deployment: string, { guardrail, evidence }: GuardrailEvidence): void {
    const about = this.about(deployment)
    const view = about.decisions.at(-1)?.after ?? about.state?.view
    if (view === undefined || view.holds.length > 0 || view.order[2] > 0 || view.candidate === null) return
    // What held when the evidence came may have been lifted by a person behind it; the next evidence asks again.
    const isLifted = seen.outs.some(
      (out) =>
        out.kind === 'decision' &&
        out.deployment === deployment &&
        out.outcome === 'released' &&
        this.roles.has(out.by) &&
        out.before.holds.length > 0,
    )
    if (isLifted) return
    this.accuse(
      'S11',
      deployment,
      `governor/${seen.shard} entry ${seen.offset}: ${guardrail} is beyond its limit to ${evidence.dataTo}, and nothing was done`,
    )
  }

  about(deployment: string): Case {
    const known = this.cases.get(deployment)
    if (known !== undefined) return known
    const fresh: Case = {
      deployment,
      decisions: [],
      issued: new Map(),
      highest: null,
      evidence: null,
      atHand: [],
      state: null,
      watch: null,
      approvals: new Map(),
      readyGenerations: new Set(),
      generations: new Set(),
      epochs: new Set(),
      lapsedFacts: new Set(),
      sequence: 0,
    }
    this.cases.set(deployment, fresh)
    return fresh
  }
}

/** What was asked for, by the rule of a refusal. */
const refusedKinds: Readonly<Record<string, string>> = {
  rollout: 'rollout',
  approval: 'approve',
  registration: 'register',
  rollback: 'rollback',
  hold: 'hold',
  release: 'release-hold',
  halt: 'halt',
  restore: 'restore',
}

type Say = (invariant: string, text: string) => void

const rules = new Map(policyDocument('ada', policySource(paces.brisk)).policy.guardrails.map((rule) => [rule.id, rule]))

function actionOf({ guardrail }: GuardrailEvidence): string | undefined {
  return rules.get(guardrail)?.action
}

/** Beyond its own limit, and its whole effect beyond what is tolerated. */
function isBeyond({ guardrail, evidence, limit }: GuardrailEvidence): boolean {
  const rule = rules.get(guardrail)
  if (rule === undefined || evidence.status !== 'ok' || evidence.logE.harm < limit) return false
  const tolerated = rule.detector === 'conditional-beta-binomial' ? 1 + rule.tolerance.harm : rule.tolerance.harm
  return evidence.effect.low > tolerated
}
