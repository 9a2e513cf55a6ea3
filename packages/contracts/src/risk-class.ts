import type { Policy } from './policy.ts'

export type RiskClass = Policy['riskClass']

/** From the least harm that a wrong answer can do to the greatest. */
export const riskClassOrder = ['low', 'medium', 'high', 'critical'] as const satisfies readonly RiskClass[]

/** What a class asks of a policy, and what it gives where the policy says nothing. */
export interface RiskClassRules {
  /** People apart from the author who approve a document. */
  readonly approvals: number
  /** Probability that a gate opens for a harmful version: the evidence that it needs is 1/safeAlpha. */
  readonly safeAlpha: number
  readonly defaults: {
    /** Of each stage but the last. */
    readonly rows: number
    readonly minimumMs: number
    readonly maximumMs: number
    /** Budgets: part of healthy rollouts that may be stopped, and false alarms in a healthy year. */
    readonly alpha: number
    readonly falsePerYear: number
    /** What an agent does alone; null: its author must choose. */
    readonly onGuardrailLoss: Policy['onGuardrailLoss'] | null
  }
  /** A policy beyond one of these is looser than its class and refused. Absent: the class asks nothing. */
  readonly loosest: {
    /** Share of the first stage in which the new version answers anybody. */
    readonly firstShare?: number
    readonly rows?: number
    readonly minimumMs?: number
    /** A rule with a smaller budget acts later: these are the smallest. */
    readonly alpha?: number
    readonly falsePerYear?: number
    readonly noDataAfterMs?: number
    readonly grantMs?: number
    /** Latest time by which an agent that is alone has stopped or rolled back. */
    readonly stoppedAfterMs?: number
    /** The first stage answers nobody. */
    readonly shadow?: true
    /** Errors are a gate that halts, or takes traffic back. */
    readonly errorsGate?: true
    /** Silence is watched. */
    readonly silence?: true
  }
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** The risk classes (docs/policy-reference.md): defaults, and the loosest that a policy of the class may be. */
export const riskClasses = {
  low: {
    approvals: 1,
    safeAlpha: 0.05,
    defaults: {
      rows: 500,
      minimumMs: 10 * minute,
      maximumMs: 24 * hour,
      alpha: 1 / 1_000,
      falsePerYear: 365 / 90,
      onGuardrailLoss: [{ afterMs: 30 * second, action: 'hold' }],
    },
    loosest: {},
  },
  medium: {
    approvals: 1,
    safeAlpha: 0.05,
    defaults: {
      rows: 2_000,
      minimumMs: 30 * minute,
      maximumMs: 24 * hour,
      alpha: 1 / 1_000,
      falsePerYear: 365 / 90,
      onGuardrailLoss: [{ afterMs: 30 * second, action: 'hold' }],
    },
    loosest: { firstShare: 0.5, alpha: 1 / 10_000, falsePerYear: 1, noDataAfterMs: 15 * minute, grantMs: 5 * minute },
  },
  high: {
    approvals: 2,
    safeAlpha: 0.02,
    defaults: {
      rows: 5_000,
      minimumMs: hour,
      maximumMs: 48 * hour,
      alpha: 1 / 1_000,
      falsePerYear: 365 / 90,
      onGuardrailLoss: [
        { afterMs: 30 * second, action: 'hold' },
        { afterMs: 5 * minute, action: 'roll-back' },
      ],
    },
    loosest: {
      firstShare: 0.1,
      rows: 500,
      minimumMs: 10 * minute,
      alpha: 1 / 1_000,
      falsePerYear: 365 / 90,
      noDataAfterMs: 5 * minute,
      grantMs: minute,
      stoppedAfterMs: 10 * minute,
      errorsGate: true,
    },
  },
  critical: {
    approvals: 2,
    safeAlpha: 0.01,
    defaults: {
      rows: 10_000,
      minimumMs: 4 * hour,
      maximumMs: 72 * hour,
      alpha: 1 / 500,
      falsePerYear: 365 / 60,
      onGuardrailLoss: null,
    },
    loosest: {
      firstShare: 0.05,
      rows: 2_000,
      minimumMs: 30 * minute,
      alpha: 1 / 500,
      falsePerYear: 365 / 60,
      noDataAfterMs: 2 * minute,
      grantMs: 30 * second,
      stoppedAfterMs: 5 * minute,
      shadow: true,
      errorsGate: true,
      silence: true,
    },
  },
} as const satisfies Readonly<Record<RiskClass, RiskClassRules>>
