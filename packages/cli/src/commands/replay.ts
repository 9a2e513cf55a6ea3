import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteLog, type ReplayReport, verifyReplay } from '@interlock/runtime'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { embeddedKeys } from '../up/keyset.ts'
import { embeddedProcessors } from '../up/processors.ts'
import { embeddedShards } from '../up/topics.ts'
import { count } from '../words.ts'

/**
 * `interlock replay --verify`: starts every processor from its oldest snapshot that is still whole, executes every later
 * entry again over the very records that it names, and compares what it put out and its state. Exit 1 on any difference,
 * and where something could not be reached.
 */
export async function replay(config: Config, only: string | undefined, out: Output): Promise<number> {
  const folder = join(config.data, 'log')
  if (!existsSync(folder))
    throw new UsageError(
      `${folder}: there is no log. Run \`interlock up\` or \`interlock demo\` first, or name another folder with --data.`,
    )
  const log = openSqliteLog({ folder })
  try {
    const processors = embeddedProcessors(config, await embeddedKeys(config), readDeployments(config))
    const chosen = processors.filter(({ name }) => only === undefined || name === only)
    if (chosen.length === 0)
      throw new UsageError(`"${only}" is no processor; they are ${processors.map(({ name }) => name).join(', ')}`)
    let good = true
    for (const { run } of chosen) {
      for (let shard = 0; shard < embeddedShards; shard++) {
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
