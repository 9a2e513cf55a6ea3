import { type FaultName, faultNames } from '@interlock/example-flights'
import { type Command, Option } from 'commander'
import { notNegative, positiveNumber, wholeNumber } from './arguments.ts'
import type { Run } from './run.ts'

/** What starts something. */
export function startCommands(program: Command, run: Run): void {
  program
    .command('up')
    .description('start everything in this process, with the live page')
    .action(() => run(async (config, out) => (await import('../commands/up.ts')).up(config(), out)))

  program
    .command('demo')
    .description('a bad model is rolled back on real data, in about two minutes')
    .addOption(new Option('--fault <name>', 'what goes wrong').choices([...faultNames]).default('unit'))
    .option('--seed <n>', 'seed of traffic and chance', wholeNumber, 1)
    .option('--rate <n>', 'predictions a second', positiveNumber, 1_500)
    .option('--speed <factor>', 'multiplies the rate', positiveNumber, 1)
    .option('--onset <seconds>', 'from the first answers of v2 to the fault', notNegative, 3)
    .option('--port <n>', 'port of the page', wholeNumber, 7070)
    .option('--kafka [host:port]', 'each service a process on Kafka: on that broker, or on one that the demo starts')
    .option('--stay', 'keep the page open after the end, until Ctrl-C', false)
    .action(({ fault, ...options }: Omit<import('../demo/demo.ts').DemoOptions, 'data'>) =>
      run(async (_, out) => {
        const { demo } = await import('../demo/demo.ts')
        return demo(
          { ...options, fault: fault as FaultName, data: program.opts<{ data?: string }>().data ?? '.interlock/demo' },
          out,
        )
      }),
    )
}
