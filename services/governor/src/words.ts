import { type StateOut, unreachable } from '@interlock/contracts'
import type { Blocker, Judged } from '@interlock/deployment'
import { type Fact, factOfEvidence, nameOfRule, say } from '@interlock/policy'
import type { Desk } from './desk.ts'
import { baselineOf } from './documents.ts'
import { type DeploymentRecord, stageOf } from './record.ts'

/** The fact behind one guardrail's evidence, or null where nothing is watched. */
export function factOf(one: Judged, record: DeploymentRecord, desk: Desk): Fact | null {
  const { policy, watching } = record
  if (policy === null || watching === null) return null
  const baselines = [watching.stable, watching.candidate].flatMap((release) => {
    const baseline = release === null ? null : baselineOf(desk.shard.documents, release.baseline)
    return baseline === null ? [] : [baseline]
  })
  const spec = baselines[0]?.spec
  if (spec === undefined) return null
  const context = { policy: policy.policy, spec, stable: watching.stable.version, baselines }
  return factOfEvidence(one.evidence, one.guardrail, one.verdict, context)
}

/** Why something was done: the measurement in at most two sentences. */
export function becauseOf(one: Judged, record: DeploymentRecord, desk: Desk): string | null {
  const fact = factOf({ ...one, verdict: 'breach' }, record, desk)
  return fact === null ? null : say(fact).brief
}

export function verdictsOf(judged: readonly Judged[], record: DeploymentRecord, desk: Desk): StateOut['verdicts'] {
  return judged.map((one) => {
    const fact = factOf(one, record, desk)
    return {
      guardrail: one.guardrail.id,
      version: one.evidence.version,
      verdict: one.verdict,
      sentence: fact === null ? '' : say(fact).text,
    }
  })
}

/** Why promotion is blocked, a sentence for each reason. */
export function blockedSentences(
  blockers: readonly Blocker[],
  record: DeploymentRecord,
  desk: Desk,
): readonly string[] {
  return blockers.map((blocker) => say(blockerFact(blocker, record, desk)).text)
}

function blockerFact(blocker: Blocker, record: DeploymentRecord, desk: Desk): Fact {
  const policy = record.policy?.policy ?? {}
  const version = (record.candidate ?? record.stable).version
  switch (blocker.kind) {
    case 'hold':
      return { kind: 'waits-for-hold', owner: ownerName(blocker.hold.owner), reason: blocker.hold.reason }
    case 'engine':
      return { kind: 'engine', ...blocker.engine }
    case 'counting':
      return { kind: 'waits-for-counting' }
    case 'command': {
      const { state } = blocker
      const isOpen = state === 'received' || state === 'applied' || state === 'escalated'
      return { kind: 'waits-for-command', state: isOpen ? state : 'issued' }
    }
    case 'rows':
      return {
        kind: 'waits-for-rows',
        n: blocker.n,
        needed: blocker.needed,
        rows: record.policy?.policy.words?.rows ?? 'requests',
      }
    case 'time':
      return { kind: 'waits-for-time', leftMs: blocker.leftMs }
    case 'gate':
    case 'guard': {
      const rule = nameOfRule(blocker.guardrail, policy)
      const { judged } = blocker
      if (judged === null) return { kind: 'not-enough-data', rule, version, n: 0, needed: null, readyInMs: null }
      if (judged.verdict === 'breach') return { kind: 'waits-for-guard', rule }
      return factOf(judged, record, desk) ?? { kind: 'waits-for-guard', rule }
    }
    default:
      return unreachable(blocker)
  }
}

const ownerNames: Readonly<Record<string, string>> = {
  data: 'a data incident',
  fleet: 'the fleet brake',
  keyset: 'the list of keys',
  'not-watched': 'missing data',
  brake: 'the brake on rollbacks',
  expired: 'the stage',
  agent: 'the agent',
  grant: 'the agent',
  provisional: 'an early count',
}

function ownerName(owner: string): string {
  const [kind, id] = owner.split(':')
  return ownerNames[owner] ?? (kind === 'person' ? (id ?? owner) : `the rule "${id ?? owner}"`)
}

/** The deployment in one sentence: the decision that stands, else where the rollout is, else that all is well. */
export function headline(record: DeploymentRecord, isHealthy: boolean): string {
  if (record.standing !== null) return record.standing
  const { rollout, candidate, policy } = record
  const stage = stageOf(record)
  if (rollout !== null && candidate !== null && stage !== null && policy !== null) {
    return say({
      kind: 'stage',
      candidate: candidate.version,
      share: stage.share,
      shadow: stage.shadow,
      stage: rollout.clock.index + 1,
      stages: policy.policy.stages.length,
    }).text
  }
  if (rollout !== null) return say({ kind: 'waits-for-counting' }).text
  if (policy === null) return say({ kind: 'waits-for-approval', what: 'the policy' }).text
  return say({ kind: 'steady', version: record.stable.version, checked: isHealthy }).text
}
