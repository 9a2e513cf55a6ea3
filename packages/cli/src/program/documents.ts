import { type Command, Option } from 'commander'
import type { BacktestOptions } from '../commands/backtest.ts'
import type { BaselineBuildOptions } from '../commands/baseline.ts'
import type { CalibrateOptions } from '../commands/calibrate.ts'
import type { CheckFormat, PromiseOptions } from '../commands/policy.ts'
import {
  lawfulDeployment,
  minutesOfOffset,
  notNegative,
  positiveNumber,
  positiveWhole,
  wholeNumber,
} from './arguments.ts'
import type { Run } from './run.ts'
import { scenarioCommands } from './scenarios.ts'

/** What makes, checks and explains documents. */
export function documentCommands(program: Command, run: Run): void {
  const policy = program.command('policy').description('check and explain policies')
  policy
    .command('check')
    .argument('<file>')
    .addOption(
      new Option('--format <name>', 'sarif: for code scanning; github: beside the lines of a pull request')
        .choices(['text', 'sarif', 'github'])
        .default('text'),
    )
    .action((file: string, { format }: { format: CheckFormat }) =>
      run(async (_, out) => (await import('../commands/policy.ts')).policyCheck(file, format, out)),
    )
  policy
    .command('explain')
    .argument('<file>')
    .action((file: string) => run(async (_, out) => (await import('../commands/policy.ts')).policyExplain(file, out)))
  policy
    .command('diff')
    .argument('<before>')
    .argument('<after>')
    .action((before: string, after: string) =>
      run(async (_, out) => (await import('../commands/policy.ts')).policyDiff(before, after, out)),
    )

  policy
    .command('promise')
    .argument('<file>')
    .description('the smallest harm that each rule sees in each stage, when, and how many answers it costs')
    .requiredOption('--baseline <file>', 'baseline.json of the version that serves')
    .requiredOption('--rate <answers an hour>', 'of all versions together', positiveNumber)
    .option('--error-rate <part>', 'part of the healthy answers that fails', positiveNumber, 0.01)
    .action((file: string, options: PromiseOptions) =>
      run(async (_, out) => (await import('../commands/policy.ts')).policyPromise(file, options, out)),
    )
  policy
    .command('backtest')
    .argument('[file]')
    .description('what would have been decided on the recorded counts, under another policy or by this code')
    .requiredOption('--deployment <name>', 'whose record', lawfulDeployment)
    .option('--since <duration>', 'so far back from the newest entry, such as 35d; all that is recorded unless told')
    .action((file: string | undefined, options: Pick<BacktestOptions, 'deployment' | 'since'>) =>
      run(async (config, out) =>
        (await import('../commands/backtest.ts')).backtest(
          config(),
          { ...options, ...(file === undefined ? {} : { policy: file }) },
          out,
        ),
      ),
    )

  policy
    .command('shadow')
    .argument('<deployment>', 'deployment', lawfulDeployment)
    .description('where the policy on trial and the policy in force would have acted differently')
    .action((deployment: string) =>
      run(async (config, out) =>
        (await import('../commands/policy-shadow.ts')).policyShadow(config().data, deployment, out),
      ),
    )

  scenarioCommands(policy, run)

  const baseline = program.command('baseline').description('count healthy rows, and calibrate rules on them')
  baseline
    .command('build')
    .description('count healthy rows into a baseline')
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
    .option('--time <column>', 'when each row was answered; how busy the hours of the week are')
    .option('--utc-offset <minutes>', 'local time, by which hours and weekdays are told', minutesOfOffset)
    .option('--like <baseline.json>', 'take over the bins of another baseline, so that the two can be compared')
    .option('--out <file>', 'where to write', 'baseline.json')
    .action(({ segment, ...options }: Omit<BaselineBuildOptions, 'segments'> & { segment: readonly string[] }) =>
      run(async (_, out) =>
        (await import('../commands/baseline.ts')).baselineBuild({ ...options, segments: segment }, out),
      ),
    )

  baseline
    .command('calibrate')
    .argument('<policy>')
    .description('what the rules do on healthy history, its dispersion, and tolerances that it supports')
    .requiredOption('--baseline <file>', 'baseline.json of the version that answered')
    .requiredOption(
      '--history <file>',
      'healthy rows with their times: .parquet, .csv or .arrow; features by their names',
    )
    .requiredOption('--time <column>', 'when each row was answered')
    .requiredOption('--prediction <column>')
    .option('--score <column>')
    .option('--latency <column>', 'milliseconds')
    .option('--producer <column>')
    .option('--segment <name=column...>', 'segment dimensions', [])
    .option('--utc-offset <minutes>', 'local time, by which hours and weekdays are told', minutesOfOffset, 0)
    .option('--pane <seconds>', 'length of a pane, for a long history (default: that of the policy)', positiveWhole)
    .option('--bootstrap <years>', 'time drawn from the history in blocks with replacement', notNegative, 0)
    .option('--seed <n>', 'of the blocks drawn', wholeNumber, 1)
    .option('--write <file>', 'a new baseline with the dispersion and the hours of the history')
    .action(
      (file: string, { segment, ...options }: Omit<CalibrateOptions, 'segments'> & { segment: readonly string[] }) =>
        run(async (_, out) =>
          (await import('../commands/calibrate.ts')).baselineCalibrate(file, { ...options, segments: segment }, out),
        ),
    )
}
