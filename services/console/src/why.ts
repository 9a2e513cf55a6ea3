import type { DecisionKind, DecisionOut } from '@interlock/contracts'
import type { Why } from './api.ts'
import type { Placed, Projection } from './projection.ts'

/** Outcomes that change nothing by themselves: the decision before them is the one to explain. */
const afterthoughts: ReadonlySet<DecisionKind> = new Set([
  'registered',
  'approved',
  'refused',
  'verified',
  'escalated',
  'watched-again',
])

/** The decision that explains the present: the newest that changed something, else the newest of all. */
export function explainingDecision({ decisions }: Projection): Placed<DecisionOut> | undefined {
  return decisions.find(({ out }) => !afterthoughts.has(out.outcome)) ?? decisions[0]
}

/** Decision → evidence → counts → ranges of input, under the one hash that the decision names. */
export function whyOf(projection: Projection, { out, place }: Placed<DecisionOut>): Why {
  const proof = out.evidence === null ? undefined : projection.proofs.get(out.evidence)
  const about = out.guardrail?.evidence
  return {
    decision: out,
    evidence: proof?.evidence?.out ?? null,
    counts: about === undefined ? null : { n: about.n, m: about.m, events: about.events },
    ranges: (proof?.lineage?.spans ?? []).map(({ topic, partition, from, to }) => ({
      topic,
      partition,
      from: String(from),
      to: String(to),
    })),
    sources: { decision: place, evidence: proof?.evidence?.place ?? null },
  }
}
