import { shardLog, topics } from '@interlock/contracts'
import type { ServiceName } from '../services.ts'

/** What one service needs of the cluster, and nothing more: topics as the log names them, groups as processors. */
export interface Access {
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  readonly groups: readonly string[]
}

/** `operator`: whoever runs `topics create`, `register` and `doctor`. */
export const principals = [
  'profiler',
  'evaluator',
  'governor',
  'agent',
  'notifier',
  'console',
  'probe',
  'operator',
] as const satisfies readonly (ServiceName | 'probe' | 'operator')[]
export type Principal = (typeof principals)[number]

const log = {
  profiler: shardLog('profiler'),
  evaluator: shardLog('evaluator'),
  governor: shardLog('governor'),
  fleet: shardLog('fleet'),
}

/**
 * Who may read and write what. Each shard log, the commands, alerts, evidence, the ledger and the schemas have one writer. Shared are
 * only: `snapshots` (believed only where the shard log's own hash agrees), `dlq`, and what is signed by whoever wrote it
 * (`requests`, `facts`, `heartbeats`).
 *
 * @param events topics of events, which their producers write and the console's door may write
 */
export function accessOf(principal: Principal, events: readonly string[]): Access {
  const { snapshots, heartbeats, requests, facts, commands, alerts, evidence, audit, dlq, schemas, probe } = topics
  switch (principal) {
    case 'profiler':
      return {
        reads: [...events, probe, schemas, log.governor, log.profiler, snapshots, dlq],
        writes: [log.profiler, schemas, snapshots, dlq, heartbeats],
        groups: ['profiler'],
      }
    case 'evaluator':
      return {
        reads: [log.governor, log.profiler, log.evaluator, snapshots, evidence],
        writes: [log.evaluator, snapshots, evidence, heartbeats],
        groups: ['evaluator'],
      }
    case 'governor': {
      const own = [log.governor, log.fleet, snapshots, commands, alerts, audit, dlq]
      return {
        // The profiler's log too: how many shards it has.
        reads: [log.profiler, log.evaluator, requests, facts, ...own],
        writes: [...own, heartbeats],
        groups: ['governor', 'fleet'],
      }
    }
    case 'agent':
      return { reads: [commands], writes: [facts, heartbeats], groups: [] }
    case 'notifier':
      return { reads: [alerts], writes: [facts, heartbeats], groups: [] }
    case 'console':
      return {
        reads: Object.values(log).concat(alerts, commands, facts),
        writes: [...events, requests, heartbeats],
        groups: [],
      }
    case 'probe':
      return { reads: [log.governor, commands, probe], writes: [probe, requests, facts, heartbeats], groups: [] }
    case 'operator':
      return { reads: [], writes: [requests, heartbeats], groups: [] }
  }
}

/** Topics of ours that a service must never write to: those with one writer that is another. */
export function forbiddenTo(principal: Principal): readonly string[] {
  const { commands, alerts, evidence, audit, schemas, probe } = topics
  const single = [...Object.values(log), commands, alerts, evidence, audit, schemas, probe]
  const { writes } = accessOf(principal, [])
  return single.filter((topic) => !writes.includes(topic))
}
