import type { ChaosOptions } from './run.ts'

/** What CI runs: every service as processes, five hundred rows a second, and faults of every kind. */
export function quickChaos(seed: number): ChaosOptions {
  return {
    seed,
    faults: { kills: 10, freezes: 3, leaves: 1, brokers: 1, toxics: 1, cuts: 1 },
    processes: { profiler: 2, evaluator: 2, governor: 2, agent: 1 },
    brokers: 1,
    shards: { profiler: 4, deployments: 4 },
    rollouts: 1,
    rowsPerS: 500,
    rows: 20_000,
    settleWithinMs: 90_000,
    say: (line) => console.info(line),
  }
}
