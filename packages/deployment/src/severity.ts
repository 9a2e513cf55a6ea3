import { type Action, type Order, severities } from '@interlock/contracts'

export type Severity = (typeof severities)[keyof typeof severities]

/** What people call a command (docs/architecture.md §7). */
export type CommandWord = 'promote' | 'halt' | 'ramp-down' | 'roll-back' | 'fall-back' | 'restore'

/** Severity that an action of a policy is carried out with; `watch` and `hold` move no traffic. */
export const actionSeverity = {
  watch: severities.normal,
  hold: severities.normal,
  halt: severities.halt,
  'ramp-down': severities.rampDown,
  'roll-back': severities.rollBack,
  'fall-back': severities.fallBack,
} as const satisfies Record<Action, Severity>

export function severityOf(order: Order): Severity {
  return order[2] as Severity
}

/** `revision` counts every command of a deployment and is never set back, so no two commands share an order. */
export function revised(order: Order): Order {
  return [order[0], order[1], order[2], order[3] + 1]
}

/**
 * Order of a command that raises (or keeps) the severity within the generation.
 *
 * @returns undefined when `severity` is lower than what stands: only `restored` and `nextGeneration` lower it.
 */
export function raised(order: Order, severity: Severity): Order | undefined {
  return severity < order[2] ? undefined : [order[0], order[1], severity, order[3] + 1]
}

/** Severities that a new generation may not leave behind: their end needs two people (docs/architecture.md §7). */
export function standsInTheWay(order: Order): boolean {
  const severity = severityOf(order)
  return severity === severities.halt || severity === severities.rampDown || severity === severities.fallBack
}

/** First order of a new rollout. */
export function nextGeneration(order: Order): Order {
  return [order[0] + 1, order[1], severities.normal, order[3] + 1]
}

/** Order after a `restore` that two people signed: a new generation too, so that its evidence starts anew. */
export function restored(order: Order): Order {
  return [order[0] + 1, order[1] + 1, severities.normal, order[3] + 1]
}
