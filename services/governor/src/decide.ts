import {
  type DecisionKind,
  type DecisionOut,
  type GuardrailEvidence,
  type Hash,
  hashFields,
  type RankedCause,
  severities,
} from '@interlock/contracts'
import { severityOf } from '@interlock/deployment'
import { type Fact, say } from '@interlock/policy'
import { alertFor } from './alert.ts'
import { type Desk, machine } from './desk.ts'
import { withPage } from './pages.ts'
import { type DeploymentRecord, generationOf, viewOf } from './record.ts'

/** What was decided, by which rule, and the fact that `say` puts into words. */
export interface Ruling {
  readonly outcome: DecisionKind
  readonly rule: string
  readonly fact: Fact
  /** Person, or absent where the machine decided. */
  readonly by?: string
  readonly guardrail?: GuardrailEvidence
  /** What explains the evidence, most first. */
  readonly causes?: readonly RankedCause[]
  /** Hash of the document that is acted on. */
  readonly object?: Hash
  /** It rests on open panes: no closed evidence stands behind it. */
  readonly provisional?: true
}

/** Where no policy is in force yet. */
export const noPolicy = '' as Hash

/**
 * Makes one decision: changes the record and lays the decision out before whatever the change lays out, then the alert.
 *
 * @param change  from the record as it was to the record as it shall be; gets the decision's id for `because`
 */
export function decide(
  record: DeploymentRecord,
  desk: Desk,
  ruling: Ruling,
  change: (record: DeploymentRecord, id: Hash) => DeploymentRecord = (same) => same,
): DeploymentRecord {
  const { outcome, rule, fact, by = machine, guardrail = null } = ruling
  const sequence = record.sequence + 1
  const isClosed = ruling.provisional === undefined && (guardrail !== null || restsOnEvidence(record, ruling))
  const evidence = isClosed ? (record.evidence?.hash ?? null) : null
  const policy = record.policy?.hash ?? noPolicy
  const id = hashFields(policy, evidence ?? '', rule, outcome, record.deployment, generationOf(record), sequence)
  const place = desk.outs.length
  const { text } = say(fact)
  const ledger = { ...record.ledger, waitingSince: record.ledger.waitingSince ?? desk.time }
  const changed = change({ ...record, sequence, ledger, standing: standingAfter(record, ruling, text) }, id)
  const decision: DecisionOut = {
    kind: 'decision',
    id,
    deployment: record.deployment,
    environment: record.document.environment,
    generation: generationOf(changed),
    sequence,
    at: desk.time,
    outcome,
    rule,
    facts: fact,
    text,
    evidence,
    guardrail,
    ...(ruling.causes === undefined || ruling.causes.length === 0 ? {} : { causes: ruling.causes }),
    policy: changed.policy?.hash ?? policy,
    by,
    before: viewOf(record),
    after: viewOf(changed),
    ...(desk.request === undefined || by === machine ? {} : { request: desk.request }),
    ...(ruling.object === undefined ? {} : { object: ruling.object }),
  }
  desk.outs.splice(place, 0, decision)
  const alert = alertFor(changed, decision, desk.time)
  if (alert === null) return changed
  desk.outs.push(alert.out)
  return { ...changed, openAlerts: alert.open, pages: withPage(changed.pages, alert.out, desk.time) }
}

/** A gate that opened and a hold that ended rest on the evidence of the generation's newest pane as much as a breach. */
function restsOnEvidence({ evidence, order }: DeploymentRecord, { outcome, by = machine }: Ruling): boolean {
  if (by !== machine || evidence?.generation !== order[0]) return false
  return outcome === 'promoted' || outcome === 'completed' || outcome === 'held' || outcome === 'released'
}

/** Which decision explains the present: the newest of those that stand, until one that ends it. */
function standingAfter(record: DeploymentRecord, { outcome, provisional }: Ruling, text: string): string | null {
  switch (outcome) {
    case 'held':
      // A data incident says more than the holds that come after it, and any hold more than a provisional one.
      return record.incident !== null || (provisional && record.holds.length > 0) ? record.standing : text
    case 'halted':
    case 'ramped-down':
    case 'rolled-back':
    case 'fell-back':
    case 'escalated':
    case 'data-incident':
    case 'not-watched':
      return text
    case 'verified':
      // A promotion that is proven is no state of its own: the stage is. What is held stays said.
      if (severityOf(record.order) > severities.normal) return text
      return record.holds.length > 0 ? record.standing : null
    case 'rollout-started':
    case 'promoted':
    case 'completed':
    case 'restored':
    case 'watched-again':
      return null
    case 'released':
      return record.holds.length > 1 ? record.standing : null
    default:
      return record.standing
  }
}
