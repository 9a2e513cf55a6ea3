import type {
  DecisionKind,
  DecisionOut,
  DeploymentView,
  Evidence,
  EvidenceOut,
  Guardrail,
  GuardrailEvidence,
  Hash,
  Policy,
  Variant,
  VersionId,
} from '@interlock/contracts'

/** Small lawful values for the tests of this package. */

export const v1 = 'm@v1' as VersionId
export const v2 = 'm@v2' as VersionId

export function guardrail(id: string, change: Partial<Guardrail> = {}): Guardrail {
  return {
    id,
    signal: 'errors',
    reference: 'stable',
    detector: 'conditional-beta-binomial',
    tolerance: { harm: 0.2, safe: 0.5 },
    budget: { alpha: 0.001 },
    role: 'guard',
    action: 'roll-back',
    protects: 'users',
    slices: [],
    minimumSample: 100,
    ...change,
  }
}

export function entry(
  guardrailId: string,
  variant: Variant,
  change: Partial<Evidence> = {},
  limit = 8,
): GuardrailEvidence {
  return {
    guardrail: guardrailId,
    version: variant === 'stable' ? v1 : v2,
    variant,
    limit,
    evidence: {
      status: 'ok',
      logE: { harm: 0, safe: 0 },
      effect: { estimate: 2, low: 1.5, high: 2.5 },
      n: 1_000,
      m: 9_000,
      events: { now: 20, reference: 90 },
      phi: 1,
      onset: null,
      drivers: [],
      dataTo: 10_000,
      window: '' as Hash,
      ...change,
    },
  }
}

export function policy(guardrails: readonly Guardrail[], change: Partial<Policy> = {}): Policy {
  return {
    v: 1,
    name: 'sample',
    riskClass: 'medium',
    stages: [
      { name: 'canary', share: 0.1, shadow: false, minimumSample: 500, minimumMs: 10_000, maximumMs: 60_000 },
      { name: 'full', share: 1, shadow: false, minimumSample: 0, minimumMs: 0, maximumMs: 60_000 },
    ],
    guardrails,
    noDataAfterMs: 30_000,
    onGuardrailLoss: [
      { afterMs: 0, action: 'hold' },
      { afterMs: 60_000, action: 'roll-back' },
      { afterMs: 120_000, action: 'halt' },
    ],
    grantMs: 30_000,
    times: { paneMs: 1_000, latenessMs: 1_000, stallTimeoutMs: 5_000 },
    brakes: { rollbacksPerHour: 2, fleetShare: 0.2, fleetWindowMs: 300_000 },
    ...change,
  }
}

export function evidence(guardrails: readonly GuardrailEvidence[], change: Partial<EvidenceOut> = {}): EvidenceOut {
  return {
    kind: 'evidence',
    deployment: 'd' as EvidenceOut['deployment'],
    generation: 1,
    pane: 9_000,
    paneMs: 1_000,
    coverage: 1,
    guardrails,
    summaries: [],
    totals: [],
    late: 0,
    hash: '' as Hash,
    ...change,
  }
}

const view: DeploymentView = {
  phase: 'rolling-out',
  generation: 1,
  stable: v1,
  candidate: v2,
  stage: 'canary',
  stageIndex: 0,
  share: 0.1,
  holds: [],
  order: [1, 0, 0, 1],
}

/** A decision of generation 1, in which `v2` is rolled out. */
export function decision(
  outcome: DecisionKind,
  at: number,
  { after = {}, ...change }: Partial<Omit<DecisionOut, 'after'>> & { readonly after?: Partial<DeploymentView> } = {},
): DecisionOut {
  const { generation = 1, rule = 'errors' } = change
  return {
    kind: 'decision',
    id: `${outcome}${at}` as Hash,
    deployment: 'm' as DecisionOut['deployment'],
    environment: 'test',
    generation,
    sequence: at,
    at,
    outcome,
    rule,
    facts: {},
    text: `${outcome} by ${rule}`,
    evidence: null,
    guardrail: null,
    policy: '' as Hash,
    by: 'governor',
    before: view,
    after: { ...view, generation, ...after },
    ...change,
  }
}
