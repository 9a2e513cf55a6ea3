import { type DecisionOut, type EventTime, topics, type VersionId } from '@interlock/contracts'
import { Problem } from './problem.ts'
import { type Placed, type Projection, timesOf } from './projection.ts'
import type { ReceiptPlan } from './receipt.ts'

/** Decisions that take a version away from its users. */
const withdrawals: ReadonlySet<DecisionOut['outcome']> = new Set(['rolled-back', 'ramped-down', 'fell-back'])

/** What the proof of each of them says it is about. */
const proofOf: Readonly<Partial<Record<DecisionOut['outcome'], string>>> = {
  'rolled-back': 'roll-back',
  'ramped-down': 'ramp-down',
  'fell-back': 'fall-back',
}

/**
 * @param of     a deployment (its last withdrawal), the hash of a decision, or `<deployment>/<order>` of a command, the order
 *               as `generation.restoreEpoch.severity.revision`
 * @param onset  instead of what the evidence says
 */
export function receiptPlanOf(
  projections: ReadonlyMap<string, Projection>,
  of: string,
  onset?: EventTime,
): { readonly projection: Projection; readonly plan: ReceiptPlan } {
  const { projection, withdrawal } = find(projections, of)
  return { projection, plan: planOf(projection, withdrawal, onset) }
}

function find(
  projections: ReadonlyMap<string, Projection>,
  of: string,
): { readonly projection: Projection; readonly withdrawal: DecisionOut } {
  const [name = '', order] = of.split('/', 2)
  const named = projections.get(name)
  if (named !== undefined) return { projection: named, withdrawal: lastIn(named, order) }
  if (hashStart.test(of)) {
    for (const projection of projections.values()) {
      const asked = projection.decisions.find(({ out }) => out.id.startsWith(of))?.out
      if (asked === undefined) continue
      if (withdrawals.has(asked.outcome)) return { projection, withdrawal: asked }
      throw new Problem(
        422,
        'Nothing was withdrawn',
        `Decision ${of.slice(0, 8)}… is "${asked.outcome}" and took no version away: name a rollback, ramp-down or fall-back.`,
      )
    }
  }
  throw new Problem(
    404,
    'Not found',
    `"${of.slice(0, 80)}" is no deployment, no decision among the last 1,000 of any, and no command.`,
  )
}

/** A decision's hash, or so much of it as the page shows. */
const hashStart = /^[0-9a-f]{8,64}$/

function lastIn({ deployment, decisions }: Projection, order: string | undefined): DecisionOut {
  const found = decisions.find(
    ({ out }) => withdrawals.has(out.outcome) && (order === undefined || out.after.order.join('.') === order),
  )
  if (found !== undefined) return found.out
  const what = order === undefined ? 'was a rollback, ramp-down or fall-back' : `has the order ${order}`
  throw new Problem(404, 'Not found', `No decision about "${deployment}" among the last 1,000 ${what}.`)
}

function planOf(projection: Projection, withdrawal: DecisionOut, asked: EventTime | undefined): ReceiptPlan {
  const { decisions, document } = projection
  const all = decisions.map(({ out }: Placed<DecisionOut>) => out)
  const earlier = all.filter(({ sequence }) => sequence < withdrawal.sequence)
  const later = all.filter(({ sequence }) => sequence > withdrawal.sequence).toReversed()
  const { outcome, facts, before, after } = withdrawal
  const from = versionIn(
    outcome === 'ramped-down' ? facts.candidate : outcome === 'fell-back' ? facts.version : facts.from,
  )
  const to = outcome === 'fell-back' ? null : versionIn(outcome === 'ramped-down' ? facts.stable : facts.to)
  const version = from ?? before.candidate ?? before.stable
  if (version === null) throw new Problem(422, 'Nothing was withdrawn', 'The decision names no version.')
  const restored = later.find((one) => one.outcome === 'restored' && one.generation === withdrawal.generation)
  const next = later.find((one) => withdrawals.has(one.outcome) || one.outcome === 'restored')
  const proofs = later.filter(
    (one) =>
      one.outcome === 'verified' &&
      one.facts.what === proofOf[outcome] &&
      (next === undefined || one.sequence < next.sequence),
  )
  // A ramp-down is verified step by step: the last proof is the one of share zero.
  const proof = proofs.at(outcome === 'ramped-down' ? -1 : 0)
  return {
    deployment: withdrawal.deployment,
    environment: withdrawal.environment,
    topic: document?.topics.predictions ?? topics.predictions,
    paneMs: timesOf(projection).paneMs,
    generation: withdrawal.generation,
    decision: withdrawal.id,
    decidedAt: withdrawal.at,
    outcome,
    text: withdrawal.text,
    order: after.order,
    from: version,
    to,
    onset: onsetOf(withdrawal, earlier, version, asked),
    verified:
      proof === undefined ? null : { decision: proof.id, at: proof.at, by: String(proof.facts.by ?? 'weights') },
    until: restored?.at ?? null,
  }
}

function onsetOf(
  withdrawal: DecisionOut,
  earlier: readonly DecisionOut[],
  version: VersionId,
  asked: EventTime | undefined,
): ReceiptPlan['onset'] {
  if (asked !== undefined) return { from: asked, to: null, source: 'asked', guardrail: null, decision: null }
  const named = withdrawal.guardrail?.evidence.onset
  if (named != null && withdrawal.guardrail?.version === version) {
    return { ...named, source: 'evidence', guardrail: withdrawal.guardrail.guardrail, decision: withdrawal.id }
  }
  const witness = earlier.find(
    ({ generation, guardrail }) =>
      generation === withdrawal.generation && guardrail?.version === version && guardrail.evidence.onset !== null,
  )
  if (witness?.guardrail?.evidence.onset != null) {
    const { guardrail, evidence } = witness.guardrail
    return { ...evidence.onset!, source: 'earlier-evidence', guardrail, decision: witness.id }
  }
  const began =
    earlier.find((one) => one.outcome === 'rollout-started' && one.after.candidate === version) ?? earlier.at(-1)
  return { from: began?.at ?? 0, to: null, source: 'whole-exposure', guardrail: null, decision: began?.id ?? null }
}

function versionIn(value: DecisionOut['facts'][string] | undefined): VersionId | null {
  return typeof value === 'string' && value !== '' ? (value as VersionId) : null
}
