import { defaultTimes, type LogTime } from '@interlock/contracts'
import type { TrafficPlan } from '@interlock/deployment'
import type { DeploymentRecord } from './record.ts'

/** Panes that must have been seen before an hour is judged by them. */
export const trafficPanes = 12

/**
 * What a deployment was seen to serve, from its newest whole panes: answers in an hour, copies left out, and the part that
 * fails. Null where too few panes were seen or the newest is old: then nothing is known, and nothing is refused.
 */
export function recentTraffic(record: DeploymentRecord, time: LogTime): TrafficPlan | null {
  const { served, dataTo, evidence, policy } = record
  if (policy === null || dataTo === null || time - dataTo > defaultTimes.maxDecisionAgeMs) return null
  const { paneMs } = policy.policy.times
  const whole = served.filter(({ pane }) => pane + paneMs <= dataTo)
  const [first, last] = [whole[0], whole.at(-1)]
  if (first === undefined || last === undefined || whole.length < trafficPanes) return null
  const rows = whole
    .flatMap(({ counts }) => counts)
    .reduce((sum, count) => (count.variant === 'shadow' ? sum : sum + count.rows), 0)
  const hours = (last.pane + paneMs - first.pane) / 3_600_000
  const answering = (evidence?.summaries ?? []).filter(({ variant }) => variant !== 'shadow')
  const [errors, answers] = answering.reduce(([e, n], each) => [e + each.errors, n + each.rows], [0, 0])
  // Half an error more: a pane without one says little of the rate.
  const errorRate = Math.min(0.5, (errors + 0.5) / (answers + 1))
  return { rowsPerHour: rows / hours, errorRate }
}
