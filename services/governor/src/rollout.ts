import {
  type Desired,
  type Hash,
  type ManifestDocument,
  type PersonId,
  type Policy,
  paneStart,
  type Stage,
  severities,
} from '@interlock/contracts'
import {
  type Blocker,
  blockers,
  elapsedMs,
  type FailedCheck,
  failedRolloutCheck,
  failedShadowPolicyCheck,
  type HashedPolicy,
  isHeldBy,
  isInconclusive,
  type Judged,
  nextGeneration,
  policyAt,
  type Release,
  revised,
  severityOf,
} from '@interlock/deployment'
import { nameOfRow } from '@interlock/policy'
import { issue } from './command.ts'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import { baselineOf, releaseOf } from './documents.ts'
import { hold, release } from './holding.ts'
import { type DeploymentRecord, generationOf, recordBounds, shareOf, withoutCandidate } from './record.ts'
import { beginShadow } from './shadow.ts'
import { enginesOf } from './standing.ts'
import { recentTraffic } from './traffic.ts'
import { watch } from './watch.ts'

/** What a rollout request names, as far as the documents are known and approved. */
export interface Plan {
  readonly candidate: DeploymentRecord['stable']['version']
  readonly manifest: { readonly hash: Release['manifest']; readonly document: ManifestDocument } | null
  readonly policy: { readonly hash: Release['manifest']; readonly policy: Policy } | null
  readonly policyApproved: boolean
  /** Policy on trial: undefined where none is asked for, null where it was not sent. */
  readonly shadow: HashedPolicy | null | undefined
  readonly by: PersonId
}

/** Starts a generation, or says which check refuses it. No share moves before every profiler shard counts it. */
export function startRollout(record: DeploymentRecord, desk: Desk, plan: Plan): DeploymentRecord {
  const { documents } = desk.shard
  const { manifest, policy, by } = plan
  const traffic = recentTraffic(record, desk.time)
  const failed =
    failedRolloutCheck({
      candidate: plan.candidate,
      stable: record.stable.version,
      order: record.order,
      isRunning: record.rollout !== null || (record.watching !== null && record.watching.candidate !== null),
      rolledBack: record.rolledBack,
      manifest: manifest?.document ?? null,
      baseline: manifest === null ? null : baselineOf(documents, manifest.document.baseline),
      stableBaseline: baselineOf(documents, record.stable.baseline),
      policy: policy === null ? null : policyAt(policy.policy, desk.time),
      riskClass: record.document.riskClass,
      engines: enginesOf(record, desk),
      traffic,
    }) ??
    (plan.policyApproved ? null : { check: 'the policy is not approved', fix: 'ask a second person to approve it' }) ??
    failedShadowCheck(record, desk, plan)
  if (failed !== null || manifest === null || policy === null) {
    const { check, fix } = failed ?? { check: 'a document is missing', fix: 'send it first' }
    return decide(record, desk, {
      outcome: 'refused',
      rule: 'rollout',
      by,
      fact: { kind: 'refused', what: 'rollout', check, fix },
    })
  }
  const candidate = releaseOf(manifest.document, manifest.hash)
  const { deployment, stable } = record
  const stages = policy.policy.stages.length
  const fact = {
    kind: 'rollout-started',
    deployment,
    candidate: candidate.version,
    stable: stable.version,
    stages,
    ...(traffic === null ? { asleepUntil: mostRows(policy.policy), rows: nameOfRow(policy.policy) } : {}),
  } as const
  const ruling = { outcome: 'rollout-started', rule: 'request', by, fact, object: manifest.hash } as const
  return decide(record, desk, ruling, (same, decision) =>
    beginGeneration({ ...same, policy, order: nextGeneration(same.order), deployer: by }, desk, {
      candidate,
      by,
      decision,
      shadow: plan.shadow ?? null,
    }),
  )
}

function failedShadowCheck(record: DeploymentRecord, desk: Desk, { policy, shadow }: Plan): FailedCheck | null {
  const spec = baselineOf(desk.shard.documents, record.stable.baseline)?.spec
  return shadow === undefined || policy === null || spec === undefined
    ? null
    : failedShadowPolicyCheck(shadow, policy, spec, desk.time)
}

/** Rows that the most patient rule needs before it may speak. */
function mostRows({ guardrails }: Policy): number {
  return Math.max(...guardrails.map(({ minimumSample }) => minimumSample))
}

/** A generation with a fresh evidence product that waits to be counted; `resumeAt` is the stage it begins with. */
export function beginGeneration(
  record: DeploymentRecord,
  desk: Desk,
  begin: { candidate: Release; by: PersonId; decision: Hash; resumeAt?: number; shadow: HashedPolicy | null },
): DeploymentRecord {
  const { candidate, by, decision, resumeAt, shadow } = begin
  const begun: DeploymentRecord = {
    ...beginShadow(record, desk, shadow),
    phase: 'rolling-out',
    candidate,
    rollout: { by, decision, startedAt: desk.time, ready: false, clock: { index: -1, from: null, rows: 0 } },
    suspended: resumeAt === undefined ? null : { candidate, stageIndex: resumeAt },
    calm: {},
    answered: [],
    faultFrom: null,
  }
  return watch(begun, desk, begun.stable, candidate)
}

/** Takes the rollout as far as its evidence allows. Called after everything that may open the way. */
export function progress(record: DeploymentRecord, judged: readonly Judged[], desk: Desk): DeploymentRecord {
  const { rollout, policy } = record
  if (rollout === null || policy === null || severityOf(record.order) !== severities.normal) return record
  if (rollout.clock.index < 0) return rollout.ready ? enter(record, desk) : record
  const stage = policy.policy.stages[rollout.clock.index]
  const paneEnd = paneEndOf(record)
  if (stage === undefined || paneEnd === null) return record
  const found = blockersOf(record, judged, desk)
  // Another hold explains the standstill already; the stage's own time is asked for again when it is over.
  const isHeldOtherwise = record.holds.some(({ owner }) => owner !== 'expired')
  if (!isHeldOtherwise && isInconclusive(stage, rollout.clock, paneEnd, found)) return expire(record, desk, stage)
  const others = found.filter((blocker) => blocker.kind !== 'hold' || blocker.hold.owner !== 'expired')
  if (others.length > 0) return record
  const free = release(record, desk, ['expired'], 'gates', 'Every gate is open now.')
  return rollout.clock.index + 1 < policy.policy.stages.length ? enter(free, desk) : complete(free, desk)
}

/** Everything between the candidate and its next stage, for the machine and for the page. */
export function blockersOf(record: DeploymentRecord, judged: readonly Judged[], desk: Desk): readonly Blocker[] {
  const { rollout, policy, holds } = record
  if (rollout === null || policy === null) return []
  const engines = enginesOf(record, desk)
  const stage = policy.policy.stages[rollout.clock.index]
  if (stage === undefined) {
    const waiting: Blocker[] = holds.map((each) => ({ kind: 'hold', hold: each }))
    for (const engine of engines) if (engine.state !== 'ok') waiting.push({ kind: 'engine', engine })
    return rollout.ready ? waiting : [...waiting, { kind: 'counting' }]
  }
  const paneEnd = paneEndOf(record) ?? 0
  const command = record.command?.state ?? null
  const rules = policyAt(policy.policy, record.evidence?.pane ?? paneEnd)
  return blockers({ policy: rules, stage, clock: rollout.clock, paneEnd, holds, engines, command, judged })
}

/** End of the pane of this generation that was closed last. */
function paneEndOf(record: DeploymentRecord): number | null {
  const { evidence } = record
  return evidence === null || evidence.generation !== generationOf(record) ? null : evidence.pane + evidence.paneMs
}

/** Moves to the next stage; before the first one only what does not need this generation's evidence is asked for. */
function enter(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const { rollout, policy, candidate } = record
  if (rollout === null || policy === null || candidate === null) return record
  const isFirst = rollout.clock.index < 0
  if (isFirst && blockersOf(record, [], desk).length > 0) return announce(record, desk)
  const index = isFirst ? Math.max(0, record.suspended?.stageIndex ?? 0) : rollout.clock.index + 1
  const stage = policy.policy.stages[index]
  if (stage === undefined) return record
  const from = shareOf(record)
  const fact = stage.shadow
    ? ({ kind: 'shadow-started', candidate: candidate.version, stable: record.stable.version } as const)
    : ({ kind: 'promoted', candidate: candidate.version, from, to: stage.share } as const)
  const rule = isFirst ? 'ready-to-count' : 'gates'
  return decide(record, desk, { outcome: 'promoted', rule, fact }, (same, decision) =>
    issue({ ...same, rollout: { ...rollout, clock: { index, from: null, rows: 0 } }, suspended: null }, desk, {
      order: revised(same.order),
      what: 'promote',
      desired: desiredIn(stage, record.stable, candidate),
      decision,
    }),
  )
}

/** Tells the platform of the new generation without exposing anybody, so that its events carry it while a hold waits. */
function announce(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const { rollout, command } = record
  if (rollout === null || command?.order[0] === generationOf(record)) return record
  const desired = withoutCandidate(record.stable)
  return issue(record, desk, { order: revised(record.order), what: 'promote', desired, decision: rollout.decision })
}

function desiredIn(stage: Stage, stable: Release, candidate: Release): Desired {
  return {
    target: stable.digest,
    candidate: candidate.digest,
    shareMax: stage.shadow ? 0 : stage.share,
    shadow: stage.shadow,
    pace: 'at-once',
    fallback: false,
  }
}

/** Maximum time without Safe is inconclusive: a hold that says so, until evidence or a person ends it. */
function expire(record: DeploymentRecord, desk: Desk, stage: Stage): DeploymentRecord {
  const { candidate, rollout } = record
  if (candidate === null || rollout === null || isHeldBy(record.holds, 'expired')) return record
  const { maximumMs } = stage
  const fact = { kind: 'expired', candidate: candidate.version, stage: rollout.clock.index + 1, maximumMs } as const
  const reason = 'it has not shown in time that it is safe'
  return hold(record, desk, 'expired', reason, { rule: `stage:${stage.name}`, fact })
}

/** The candidate has passed its last stage: it becomes the stable version, and the old one is kept as a way back. */
function complete(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const { candidate, stable } = record
  if (candidate === null) return record
  const fact = { kind: 'completed', candidate: candidate.version, stable: stable.version } as const
  return decide(record, desk, { outcome: 'completed', rule: 'gates', fact }, (same, decision) =>
    issue(
      {
        ...same,
        phase: 'steady',
        rollout: null,
        stable: candidate,
        candidate: null,
        previous: [stable, ...same.previous].slice(0, recordBounds.previous),
      },
      desk,
      { order: revised(same.order), what: 'promote', desired: withoutCandidate(candidate), decision },
    ),
  )
}

/** Starts the stage's clock: at the first pane that lies wholly after its command was applied. */
export function startClock(record: DeploymentRecord): DeploymentRecord {
  const { rollout, policy, command } = record
  const appliedAt = command?.times.applied
  if (rollout === null || policy === null || rollout.clock.index < 0 || rollout.clock.from !== null) return record
  if (appliedAt === undefined || command?.what !== 'promote') return record
  const { paneMs } = policy.policy.times
  const from = paneStart(appliedAt + paneMs - 1, paneMs)
  return { ...record, rollout: { ...rollout, clock: { ...rollout.clock, from } } }
}

/** Milliseconds of pane time that the stage has run; null before its clock started. */
export function stageAgeMs(record: DeploymentRecord): number | null {
  const paneEnd = paneEndOf(record)
  const clock = record.rollout?.clock
  return clock === undefined || clock.from === null || paneEnd === null ? null : elapsedMs(clock, paneEnd)
}
