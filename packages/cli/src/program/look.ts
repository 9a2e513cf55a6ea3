import { type Command, Option } from 'commander'
import { type ServiceName, services } from '../services.ts'
import type { Run } from './run.ts'

/** What looks and changes nothing. */
export function lookCommands(program: Command, run: Run): void {
  program
    .command('status')
    .description('every deployment, what needs a person first')
    .action(() => run(async (config, out) => (await import('../commands/status.ts')).status(config(), out)))

  program
    .command('why')
    .description('the last decision, its evidence, the counts and the records behind it')
    .argument('<deployment>')
    .option('--decision <hash>', 'another decision than the last')
    .action((deployment: string, { decision }: { decision?: string }) =>
      run(async (config, out) => (await import('../commands/why.ts')).why(config().data, deployment, decision, out)),
    )

  program
    .command('replay')
    .description('execute the log again and compare every byte')
    .option('--verify', 'compare outs and state hashes (the only mode)', true)
    .option('--processor <name>', 'only this one')
    .action(({ processor }: { processor?: string }) =>
      run(async (config, out) => (await import('../commands/replay.ts')).replay(config(), processor, out)),
    )

  program
    .command('doctor')
    .description('find what is wrong before it matters')
    .addOption(
      new Option('--service <name>', 'what that service of a cluster needs, as that service').choices(services),
    )
    .action(({ service }: { service?: ServiceName }) =>
      run(async (config, out) => (await import('../commands/doctor.ts')).doctor(config(), service ?? null, out)),
    )
}
