import { type ReplayReport, verifyReplay } from '@interlock/runtime'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { publicKeys } from '../parts/keys.ts'
import { openLog } from '../parts/log.ts'
import { processors } from '../parts/processors.ts'
import { count } from '../words.ts'

/**
 * `interlock replay --verify`: starts every processor from its oldest snapshot that is still whole, executes every later
 * entry again over the very records that it names, and compares what it put out and its state. Exit 1 on any difference,
 * and where something could not be reached.
 */
export async function replay(config: Config, only: string | undefined, out: Output): Promise<number> {
  const { log, shards: numbers } = await openLog(config, 'replay')
  try {
    const plan = { config, deployments: readDeployments(config), shards: numbers, eventPartitions: new Map() }
    const all = processors(plan, (await publicKeys(config)).rootKey)
    const chosen = all.filter(({ name }) => only === undefined || name === only)
    if (chosen.length === 0)
      throw new UsageError(`"${only}" is no processor; they are ${all.map(({ name }) => name).join(', ')}`)
    let good = true
    for (const { run, shards } of chosen) {
      for (let shard = 0; shard < shards; shard++) {
        const report = await run(async (processor) => {
          const fromSnapshot = await verifyReplay({ log, processor, shard })
          // After a short run the oldest snapshot is the one of its end, and nothing lies behind it: take all of it then.
          return fromSnapshot.entries > 0 ? fromSnapshot : verifyReplay({ log, processor, shard, wanted: 0n })
        })
        good &&= isReproduced(report)
        out.result(report, describe(report))
      }
    }
    return good ? exitCodes.good : exitCodes.breachOrRefused
  } finally {
    await log.close()
  }
}

/** Nothing compared is nothing shown. */
function isReproduced({ entries, mismatches, unreachable }: ReplayReport): boolean {
  return entries > 0 && mismatches.length === 0 && unreachable.length === 0
}

function describe(report: ReplayReport): string {
  const ok = isReproduced(report)
  const lines = [
    `${ok ? '✓' : '✗'} ${report.processor}/${report.shard}  from entry ${report.from + 1n}: ${count(report.entries)} entries, ${count(report.outs)} outs and ${count(report.stateHashes)} state hashes compared, ${report.mismatches.length} differ, ${report.voids} void`,
  ]
  for (const mismatch of report.mismatches.slice(0, 5))
    lines.push(
      `    differs: ${JSON.stringify(mismatch, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
    )
  for (const { from, to, why } of report.unreachable) lines.push(`    not reached: entries ${from} to ${to}: ${why}`)
  return lines.join('\n')
}
