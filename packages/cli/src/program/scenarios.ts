import type { Command } from 'commander'
import type { PolicyMutateOptions } from '../commands/policy-mutate.ts'
import type { PolicySimulateOptions } from '../commands/policy-simulate.ts'
import type { PolicyTestOptions } from '../commands/policy-test.ts'
import { notNegative, positiveNumber, positiveWhole, wholeNumber } from './arguments.ts'
import type { Run } from './run.ts'

/** What plays a policy before it guards anything. */
export function scenarioCommands(policy: Command, run: Run): void {
  policy
    .command('test')
    .argument('<file>', 'tests of a policy, YAML')
    .description('counts in, verdicts out; and whole scenarios with a fault and what must become of it')
    .option('--policy <file>', 'instead of the one that the tests name')
    .option('--baseline <file>', 'instead of the one that the tests name')
    .option('--candidate-baseline <file>', 'of the new version; it looks as the stable one unless told')
    .action((file: string, options: PolicyTestOptions) =>
      run(async (config, out) => (await import('../commands/policy-test.ts')).policyTest(file, options, config, out)),
    )

  played(policy.command('mutate').argument('<file>'))
    .description('plays a catalogue of faults against the policy: caught when, by which rule, or blind')
    .option('--seeds <n>', 'plays each fault under so many seeds', positiveWhole, 1)
    .option('--min-score <part>', 'exit 1 below it', '0%')
    .action((file: string, options: PolicyMutateOptions) =>
      run(async (config, out) =>
        (await import('../commands/policy-mutate.ts')).policyMutate(file, options, config, out),
      ),
    )

  played(policy.command('simulate').argument('<file>'))
    .description('rehearses a rollout: delay and exposure of each fault, foretold and played; chance of a false stop')
    .option('--seeds <n>', 'plays each fault under so many seeds', positiveWhole, 5)
    .option('--healthy <n>', 'healthy rollouts that are played', positiveWhole, 20)
    .option('--max-false-stops <part>', 'exit 1 when more of them are stopped', '0%')
    .action((file: string, options: PolicySimulateOptions) =>
      run(async (config, out) =>
        (await import('../commands/policy-simulate.ts')).policySimulate(file, options, config, out),
      ),
    )
}

/** Options of what is played on traffic. */
function played(command: Command): Command {
  return command
    .requiredOption('--baseline <file>', 'baseline.json of the version that serves')
    .option('--candidate-baseline <file>', 'of the new version; it looks as the stable one unless told')
    .option(
      '--traffic <file>',
      'recorded events: .jsonl, .parquet, .csv, .arrow, or "log"; drawn from the baseline unless told',
    )
    .option('--rate <answers an hour>', 'of all versions together; as recorded unless told', positiveNumber)
    .option('--error-rate <part>', 'part of the drawn answers that fails', notNegative)
    .option('--seed <n>', 'the first seed', wholeNumber, 1)
    .option('--faults <names...>', 'these faults alone')
    .option('--feature <name>', 'the number that is broken; the first one that a rule looks at unless told')
    .option('--category <name>', 'the category that is broken; likewise')
    .option('--producer <name>', 'the producer that is broken; the one with most rows unless told')
    .option('--stage <name>', 'stage in which a fault begins; the first that answers people unless told')
    .option('--after <time>', 'time in that stage before it begins', '0s')
    .option('--for <time>', 'how long it may last; 120 panes unless told')
}
