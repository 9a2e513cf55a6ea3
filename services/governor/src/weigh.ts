import {
  type EvidenceOut,
  type RankedCause,
  type ReadyToCountOut,
  type ServedOut,
  unreachable,
} from '@interlock/contracts'
import {
  type Answer,
  type Breach,
  calmPanes,
  calmPart,
  causesOf,
  type Judged,
  policyAt,
  producerOf,
  type Scope,
  withHold,
  withoutHold,
} from '@interlock/deployment'
import { type Fact, say } from '@interlock/policy'
import { type Cause, fallBack, halt, rampDown, rollBack } from './act.ts'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import { settleForesight } from './foresight.ts'
import { hold, release } from './holding.ts'
import { type DeploymentRecord, generationOf, recordBounds, stageOf } from './record.ts'
import { progress } from './rollout.ts'
import { settle } from './settle.ts'
import { compareWithShadow } from './shadow.ts'
import { answerOf, judgedOf } from './standing.ts'
import { becauseOf } from './words.ts'

/** Weighs the evidence of one closed pane: what is out of line, what is calm again, and whether the rollout may go on. */
export function weigh(record: DeploymentRecord, out: EvidenceOut, desk: Desk): DeploymentRecord {
  const { policy, evidence: last } = record
  // What the policy on trial knows is taken off here, so that nothing that acts can see it.
  const { shadow, ...evidence } = out
  const generation = generationOf(record)
  if (policy === null || evidence.generation > generation || isOutdated(evidence, last)) return record
  const counted = watchedAgain(count(record, evidence), evidence, desk)
  // The panes before a new generation's first one still show that data flows; they judge nobody any more.
  if (evidence.generation < generation) return settleForesight(counted, desk)
  // A pane of which a part is missing moves nothing: it is neither a breach nor a pass.
  if (evidence.coverage < 1) return counted
  const { judged, answer } = answerOf(policyAt(policy.policy, evidence.pane), evidence, counted, desk)
  const answered = respond(counted, answer, judged, desk)
  const calmed = settleForesight(recover(answered, judged, desk), desk)
  const moved = progress(calmed, judgedOf(calmed), desk)
  return compareWithShadow(moved, counted, { answer, shadow }, desk)
}

function isOutdated(evidence: EvidenceOut, last: EvidenceOut | null): boolean {
  if (last === null || last.generation < evidence.generation) return false
  return last.generation > evidence.generation || evidence.pane <= last.pane
}

/** Keeps the evidence, the end of the data and the rows of the stage. */
function count(record: DeploymentRecord, evidence: EvidenceOut): DeploymentRecord {
  const { rollout, candidate } = record
  const rows = evidence.summaries.reduce((sum, each) => sum + each.rows, 0)
  const dataTo = evidence.coverage === 1 && rows > 0 ? evidence.pane + evidence.paneMs : record.dataTo
  const variant = stageOf(record)?.shadow === true ? 'shadow' : 'candidate'
  const ofCandidate = (wanted: 'shadow' | 'candidate'): number =>
    evidence.summaries
      .filter((each) => each.version === candidate?.version && each.variant === wanted)
      .reduce((sum, each) => sum + each.rows, 0)
  const answers = ofCandidate('candidate')
  const clock = rollout?.clock
  const counts = clock !== undefined && clock.from !== null && evidence.pane >= clock.from && evidence.coverage === 1
  return {
    ...record,
    evidence,
    dataTo,
    answered:
      answers === 0
        ? record.answered
        : [...record.answered, { pane: evidence.pane, rows: answers }].slice(-recordBounds.answered),
    rollout:
      rollout === null || clock === undefined || !counts
        ? rollout
        : { ...rollout, clock: { ...clock, rows: clock.rows + ofCandidate(variant) } },
  }
}

function watchedAgain(record: DeploymentRecord, evidence: EvidenceOut, desk: Desk): DeploymentRecord {
  if (record.lostAt === null || record.dataTo !== evidence.pane + evidence.paneMs) return record
  const fact = { kind: 'watched-again', gapMs: Math.max(0, record.dataTo - record.lostAt) } as const
  return decide(record, desk, { outcome: 'watched-again', rule: 'no-data', fact }, (same) => ({
    ...same,
    lostAt: null,
    holds: withoutHold(same.holds, 'not-watched'),
  }))
}

/** Does what the policy answers to the pane. */
function respond(
  record: DeploymentRecord,
  answer: Answer | null,
  judged: readonly Judged[],
  desk: Desk,
): DeploymentRecord {
  if (answer === null) return record
  const { scope, incident: isIncident, about, breaches } = answer
  if (scope === 'source') return sourceIncident(record, answer, judged, desk)
  const ofMany = breaches.filter(({ source }) => source === null)
  const { guardrail, evidence } = about.leading
  const because = becauseOf(about.leading, record, desk)
  const cause: Cause = { rule: guardrail.id, because, guardrail: evidence, causes: causesOf(judged, evidence) }
  const told = isIncident ? incident(record, ofMany, cause, scope, desk) : record
  switch (answer.act) {
    case 'hold':
      return isIncident
        ? told
        : hold(told, desk, `guardrail:${guardrail.id}`, cause.because ?? guardrail.id, { ...cause })
    case 'halt':
      return halt(told, desk, cause)
    case 'ramp-down':
      return rampDown(told, desk, cause)
    case 'roll-back':
      return told.candidate === null ? told : rollBack(told, desk, cause)
    case 'fall-back':
      return fallBack(told, desk, cause)
    default:
      return unreachable(answer.act)
  }
}

/** Harm in both arms: hold, name the producer, call the owner of the data. One incident until its evidence is calm. */
function incident(
  record: DeploymentRecord,
  breaches: readonly Breach[],
  cause: Cause,
  scope: Scope,
  desk: Desk,
): DeploymentRecord {
  const common = breaches.filter(({ leading }) => scope === 'common' || leading.evidence.variant === 'stable')
  const members = common.flatMap((breach) => breach.members)
  const source = producerOf(members.map(({ evidence }) => evidence)) ?? record.incident?.source ?? null
  const { leading } = common[0] ?? breaches[0]!
  const fact: Fact = {
    kind: 'data-incident',
    source,
    candidate: record.candidate?.version ?? null,
    stable: record.stable.version,
    because: becauseOf(leading, record, desk) ?? cause.because,
  }
  const { causes = [] } = cause
  return openIncident(record, members, source, { fact, leading, causes }, desk)
}

/** Harm in the rows of one small source: no source decides alone, so hold, and call the owner of its data. */
function sourceIncident(
  record: DeploymentRecord,
  { about: { leading, source }, breaches }: Answer,
  judged: readonly Judged[],
  desk: Desk,
): DeploymentRecord {
  const { alone } = leading.evidence.evidence
  if (source === null || alone === undefined) return record
  const fact: Fact = {
    kind: 'source-incident',
    source,
    traffic: alone.traffic,
    candidate: record.candidate?.version ?? null,
    because: becauseOf(leading, record, desk),
  }
  const causes = causesOf(judged, leading.evidence)
  const members = breaches.flatMap((breach) => breach.members)
  return openIncident(record, members, source, { fact, leading, causes }, desk)
}

/** One decision an incident and source; later panes add their guardrails to it. */
function openIncident(
  record: DeploymentRecord,
  members: readonly Judged[],
  source: string | null,
  told: { readonly fact: Fact; readonly leading: Judged; readonly causes: readonly RankedCause[] },
  desk: Desk,
): DeploymentRecord {
  const ids = members.map(({ guardrail }) => guardrail.id)
  const guardrails = [...new Set([...(record.incident?.guardrails ?? []), ...ids])].sort()
  const since = record.incident?.since ?? desk.time
  const next = { source, since, guardrails }
  if (record.incident !== null && record.incident.source === source) return { ...record, incident: next }
  const { fact, leading, causes } = told
  const rule = leading.guardrail.id
  const ruling = { outcome: 'data-incident', rule, fact, guardrail: leading.evidence, causes } as const
  return decide({ ...record, incident: next }, desk, ruling, (same) => ({
    ...same,
    holds: withHold(same.holds, { owner: 'data', reason: say(fact).brief }),
  }))
}

/** A machine's hold ends by evidence: its guardrails stay well below their limits for some panes in a row. */
function recover(record: DeploymentRecord, judged: readonly Judged[], desk: Desk): DeploymentRecord {
  let next = record
  for (const { owner } of record.holds) {
    const guardrails =
      owner === 'data' ? (record.incident?.guardrails ?? []) : owner.startsWith('guardrail:') ? [owner.slice(10)] : []
    if (guardrails.length === 0) continue
    const panes = guardrails.every((id) => isCalm(id, judged)) ? (next.calm[owner] ?? 0) + 1 : 0
    next = { ...next, calm: { ...next.calm, [owner]: panes } }
    if (panes >= calmPanes)
      next = release(next, desk, [owner], owner, 'What was out of line is well within its limits again.')
  }
  return next
}

function isCalm(guardrail: string, judged: readonly Judged[]): boolean {
  const entries = judged.filter((one) => one.guardrail.id === guardrail)
  return entries.length > 0 && entries.every((one) => one.evidence.evidence.status === 'ok' && one.progress < calmPart)
}

/** Who answers, from open panes too: the later word about a pane replaces the earlier. */
export function takeServed(record: DeploymentRecord, served: ServedOut, desk: Desk): DeploymentRecord {
  const others = record.served.filter(({ pane }) => pane !== served.pane)
  const panes = [...others, { pane: served.pane, counts: served.counts }].sort((a, b) => a.pane - b.pane)
  return goOn(settle({ ...record, served: panes.slice(-recordBounds.served) }, desk), desk)
}

/** Every profiler shard counts under the generation's spec: now the candidate may get its first stage. */
export function takeReady(record: DeploymentRecord, ready: ReadyToCountOut, desk: Desk): DeploymentRecord {
  const { rollout } = record
  if (rollout === null || ready.generation !== generationOf(record)) return record
  return goOn({ ...record, rollout: { ...rollout, ready: true } }, desk)
}

/** The first stage waits for engines and holds, not for panes: it may open with any input. */
export function goOn(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  return record.rollout !== null && record.rollout.clock.index < 0 ? progress(record, [], desk) : record
}
