import type { LogTime, Policy } from '@interlock/contracts'

const hourMs = 3_600_000

/** Times of the automatic rollbacks of the last hour. */
export function lastHour(rollbacks: readonly LogTime[], time: LogTime): readonly LogTime[] {
  return rollbacks.filter((at) => time - at < hourMs)
}

/** Whether the machine may roll back once more; a person always may (docs/reliability.md §2 "Brakes"). */
export function mayRollBackByItself(policy: Policy, rollbacks: readonly LogTime[], time: LogTime): boolean {
  return lastHour(rollbacks, time).length < policy.brakes.rollbacksPerHour
}
