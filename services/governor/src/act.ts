import {
  type Desired,
  type GuardrailEvidence,
  type RankedCause,
  severities,
  type VersionId,
} from '@interlock/contracts'
import {
  type CommandWord,
  lastHour,
  mayRollBackByItself,
  type Release,
  raised,
  rollbackTarget,
  type Severity,
  severityOf,
} from '@interlock/deployment'
import type { Fact } from '@interlock/policy'
import { issue } from './command.ts'
import { decide } from './decide.ts'
import type { Desk } from './desk.ts'
import { hold, withoutRolloutHolds } from './holding.ts'
import { type DeploymentRecord, recordBounds, shareOf, withoutCandidate } from './record.ts'
import { watch } from './watch.ts'

/** Why traffic is moved against the rollout: by which rule, on what evidence, and who asked. */
export interface Cause {
  readonly rule: string
  /** In at most two sentences. */
  readonly because: string | null
  readonly by?: string
  readonly guardrail?: GuardrailEvidence
  readonly causes?: readonly RankedCause[]
}

/**
 * Rolls back: the newest verified version that will do takes all traffic at once. The machine is braked; a person is
 * not. Where no version will do, the rollout is halted and a person called.
 */
export function rollBack(record: DeploymentRecord, desk: Desk, cause: Cause, asked?: VersionId): DeploymentRecord {
  const order = raised(record.order, severities.rollBack)
  const isPerson = cause.by !== undefined
  if (order === undefined || (!isPerson && severityOf(record.order) >= severities.rollBack)) return record
  const policy = record.policy?.policy
  if (!isPerson && policy !== undefined && !mayRollBackByItself(policy, record.rollbacks, desk.time)) {
    const reason =
      `${cause.because ?? ''} The machine has rolled back ${record.rollbacks.length} times within the hour.`.trim()
    return hold(record, desk, 'brake', reason, { rule: 'brake:rollbacks-per-hour', ...guardrailOf(cause) })
  }
  const target = rollbackTarget(
    {
      choices: rollbackChoices(record, asked),
      serving: record.stable.version,
      rolledBack: record.rolledBack,
      readiness: record.readiness,
    },
    desk.time,
  )
  if (target === null) return halt(record, desk, { ...cause, rule: 'no-target', because: noTarget(cause.because) })
  const gone = record.candidate ?? record.stable
  const fact: Fact = {
    kind: 'rolled-back',
    from: gone.version,
    to: target.version,
    by: cause.by ?? null,
    because: cause.because,
  }
  return decide(record, desk, { outcome: 'rolled-back', ...cause, fact }, (same, decision) => {
    const left: DeploymentRecord = {
      ...leaveRollout(same, cause),
      phase: 'rolling-back',
      order,
      stable: target,
      failedTargets: [],
      suspended: suspendedBy(same),
      previous: same.previous.filter(({ version }) => version !== target.version),
      rolledBack: [...same.rolledBack.filter((version) => version !== gone.version), gone.version].slice(
        -recordBounds.rolledBack,
      ),
      rollbacks: isPerson ? same.rollbacks : [...lastHour(same.rollbacks, desk.time), desk.time],
    }
    // Both the target and the leaving version must be counted, so that traffic can prove that it left.
    const isWatched =
      same.watching?.stable.version === target.version && same.watching.candidate?.version === gone.version
    const watched = isWatched ? left : watch(left, desk, target, gone)
    return issue(watched, desk, { order, what: 'roll-back', desired: withoutCandidate(target), decision })
  })
}

/** Versions to go back to, best first: the one a person names, the stable one beside a candidate, then earlier ones. */
export function rollbackChoices(record: DeploymentRecord, asked?: VersionId): readonly Release[] {
  const known = record.candidate === null ? record.previous : [record.stable, ...record.previous]
  const first = known.filter(({ version }) => version === asked)
  return [...first, ...known.filter(({ version }) => version !== asked)]
}

function noTarget(because: string | null): string {
  return `${because ?? ''} No earlier version is ready to take over.`.trim()
}

/** Stops the rollout: the share stays where it is, and two people must restore it. */
export function halt(record: DeploymentRecord, desk: Desk, cause: Cause): DeploymentRecord {
  if (severityOf(record.order) >= severities.halt) return record
  const fact: Fact = {
    kind: 'halted',
    candidate: record.candidate?.version ?? null,
    share: shareOf(record),
    by: cause.by ?? null,
    because: cause.because,
  }
  const desired = record.command?.desired ?? withoutCandidate(record.stable)
  return raise(
    record,
    desk,
    cause,
    { outcome: 'halted', fact, what: 'halt', severity: severities.halt, desired },
    (same) => ({
      ...same,
      phase: 'halted',
      faultFrom: faultFromOf(same, cause),
    }),
  )
}

/** Leads the candidate's share back to zero in steps; each is verified before the next. */
export function rampDown(record: DeploymentRecord, desk: Desk, cause: Cause): DeploymentRecord {
  const { candidate } = record
  if (candidate === null || severityOf(record.order) >= severities.rampDown) return record
  const fact: Fact = {
    kind: 'ramped-down',
    candidate: candidate.version,
    stable: record.stable.version,
    by: cause.by ?? null,
    because: cause.because,
  }
  const desired = nextRampStep(record)
  return raise(
    record,
    desk,
    cause,
    { outcome: 'ramped-down', fact, what: 'ramp-down', severity: severities.rampDown, desired },
    (same) => ({ ...same, phase: 'ramping-down', faultFrom: faultFromOf(same, cause) }),
  )
}

/** The next lower share among the policy's stages; without a candidate once it is zero. */
export function nextRampStep(record: DeploymentRecord): Desired {
  const now = shareOf(record)
  const lower = (record.policy?.policy.stages ?? [])
    .map(({ share }) => share)
    .filter((share) => share > 0 && share < now)
  const share = Math.max(0, ...lower)
  const { candidate, stable } = record
  if (share === 0 || candidate === null) return { ...withoutCandidate(stable), pace: 'steps' }
  return {
    target: stable.digest,
    candidate: candidate.digest,
    shareMax: share,
    shadow: false,
    pace: 'steps',
    fallback: false,
  }
}

/** No model answers: the declared rule, heuristic or abstention does. */
export function fallBack(record: DeploymentRecord, desk: Desk, cause: Cause): DeploymentRecord {
  if (severityOf(record.order) >= severities.fallBack) return record
  const version = (record.candidate ?? record.stable).version
  const fact: Fact = { kind: 'fell-back', version, by: cause.by ?? null, because: cause.because }
  const desired: Desired = { ...withoutCandidate(record.stable), fallback: true }
  return raise(
    record,
    desk,
    cause,
    { outcome: 'fell-back', fact, what: 'fall-back', severity: severities.fallBack, desired },
    (same) => ({ ...leaveRollout(same, cause), phase: 'fallen-back' }),
  )
}

function raise(
  record: DeploymentRecord,
  desk: Desk,
  cause: Cause,
  act: {
    readonly outcome: 'halted' | 'ramped-down' | 'fell-back'
    readonly fact: Fact
    readonly what: CommandWord
    readonly severity: Severity
    readonly desired: Desired
  },
  change: (record: DeploymentRecord) => DeploymentRecord,
): DeploymentRecord {
  const order = raised(record.order, act.severity)
  if (order === undefined) return record
  const { outcome, fact, what, desired } = act
  return decide(record, desk, { outcome, ...cause, fact }, (same, decision) =>
    issue(change({ ...same, order }), desk, { order, what, desired, decision }),
  )
}

/** Where two people may take up again what is rolled back: a stable version goes back to its last stage. */
function suspendedBy({ candidate, rollout, stable, policy }: DeploymentRecord): DeploymentRecord['suspended'] {
  if (candidate !== null) return { candidate, stageIndex: rollout?.clock.index ?? -1 }
  return { candidate: stable, stageIndex: (policy?.policy.stages.length ?? 0) - 1 }
}

/** The candidate is out: no rollout, no candidate, but where two people may take it up again is kept. */
function leaveRollout(record: DeploymentRecord, cause: Cause): DeploymentRecord {
  return {
    ...record,
    rollout: null,
    candidate: null,
    suspended: record.candidate === null ? record.suspended : suspendedBy(record),
    holds: withoutRolloutHolds(record),
    calm: {},
    faultFrom: faultFromOf(record, cause),
  }
}

function faultFromOf(record: DeploymentRecord, cause: Cause): number | null {
  return cause.guardrail?.evidence.onset?.from ?? (cause.by === undefined ? record.faultFrom : null)
}

function guardrailOf(cause: Cause): { readonly guardrail?: GuardrailEvidence } {
  return cause.guardrail === undefined ? {} : { guardrail: cause.guardrail }
}
