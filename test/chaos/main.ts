/**
 * `node test/chaos/main.ts [--kills N] [--events N] [--seed S] [--brokers 1|3]`: the long run on demand, with a table of what happened. The
 * quick one is chaos.test.ts.
 */
import { parseArgs } from 'node:util'
import { chaos } from './run.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    events: { type: 'string', default: '1000000' },
    rate: { type: 'string', default: '2000' },
    brokers: { type: 'string', default: '1' },
    rollouts: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
  },
})
const kills = Number(values.kills)
const some = (share: number): number => Math.ceil(kills * share)

const verdict = await chaos({
  seed: Number(values.seed),
  faults: {
    kills,
    freezes: some(0.15),
    leaves: some(0.05),
    brokers: some(0.05),
    toxics: some(0.1),
    cuts: some(0.05),
  },
  processes: { profiler: 2, evaluator: 2, governor: 2, agent: 1 },
  brokers: values.brokers === '3' ? 3 : 1,
  shards: { profiler: 4, deployments: 4 },
  rollouts: Number(values.rollouts),
  rowsPerS: Number(values.rate),
  rows: Number(values.events),
  settleWithinMs: 120_000,
  say: (line) => console.error(line),
})
if (verdict === null) process.exitCode = 2
else {
  const { problems, figures } = verdict
  console.log(JSON.stringify({ chaos: 'long', seed: Number(values.seed), problems, ...figures }))
  for (const problem of problems) console.error(`✗ ${problem}`)
  console.error(
    problems.length === 0 ? '✓ nothing lost, nothing doubled, every byte equal' : `${problems.length} problems`,
  )
  process.exitCode = problems.length === 0 ? 0 : 1
}
