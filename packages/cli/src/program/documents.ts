import type { Command } from 'commander'
import type { BaselineBuildOptions } from '../commands/baseline.ts'
import type { Run } from './run.ts'

/** What makes, checks and explains documents. */
export function documentCommands(program: Command, run: Run): void {
  const policy = program.command('policy').description('check and explain policies')
  policy
    .command('check')
    .argument('<file>')
    .action((file: string) => run(async (_, out) => (await import('../commands/policy.ts')).policyCheck(file, out)))
  policy
    .command('explain')
    .argument('<file>')
    .action((file: string) => run(async (_, out) => (await import('../commands/policy.ts')).policyExplain(file, out)))

  program
    .command('baseline')
    .description('count healthy rows into a baseline')
    .command('build')
    .requiredOption('--version <model@version>')
    .requiredOption('--from <file>', 'healthy rows: .parquet, .csv or .arrow')
    .requiredOption('--prediction <column>')
    .option('--numeric <columns...>', 'numeric features', [])
    .option('--categorical <columns...>', 'categorical features', [])
    .option('--score <column>')
    .option('--latency <column>', 'milliseconds')
    .option('--latency-limits <p50,p90,p99>', 'milliseconds, where the data hold no latency')
    .option('--producer <column>')
    .option('--segment <name=column...>', 'segment dimensions', [])
    .option('--window <column>', 'day or batch of each row; how much healthy windows differ')
    .option('--like <baseline.json>', 'take over the bins of another baseline, so that the two can be compared')
    .option('--out <file>', 'where to write', 'baseline.json')
    .action(({ segment, ...options }: Omit<BaselineBuildOptions, 'segments'> & { segment: readonly string[] }) =>
      run(async (_, out) =>
        (await import('../commands/baseline.ts')).baselineBuild({ ...options, segments: segment }, out),
      ),
    )
}
