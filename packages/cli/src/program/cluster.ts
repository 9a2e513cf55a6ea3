import { Argument, type Command } from 'commander'
import { type RunnableName, runnable } from '../services.ts'
import { positiveNumber, positiveWhole } from './arguments.ts'
import type { Run } from './run.ts'

/** Interlock as several processes on a Kafka cluster. */
export function clusterCommands(program: Command, run: Run): void {
  program
    .command('run')
    .description('one service alone in this process, on the Kafka cluster of the configuration')
    .addArgument(new Argument('<service>', 'which one').choices(runnable))
    .option('--name <watcher>', 'which of the watchers of the configuration')
    .action((service: RunnableName, { name }: { name?: string }) =>
      run(async (config) => (await import('../commands/run.ts')).run(service, config(), name)),
    )

  program
    .command('topics')
    .description('topics on the cluster')
    .command('create')
    .description('make every topic that is not there, check those that are')
    .option('--events <partitions>', 'also make event topics that are not there', positiveWhole)
    .option('--print-acls', 'print who needs which rights, one call of kafka-acls.sh a line, and make nothing')
    .option('--principals <pattern>', 'names of the principals in that list', 'User:interlock-{service}')
    .action((options: import('../commands/topics.ts').TopicsOptions) =>
      run(async (config, out) => (await import('../commands/topics.ts')).topicsCreate(config(), options, out)),
    )

  program
    .command('keys')
    .description('keys of services and people')
    .command('make')
    .description('make all keys once, and a keyset that the root key signs')
    .option('--expires <days>', 'when the keyset runs out; make and register a new one before', positiveNumber)
    .action((options: { expires?: number }) =>
      run(async (config, out) => (await import('../commands/keys.ts')).keysMake(config(), options, out)),
    )

  program
    .command('register')
    .description('send the keyset and every deployment with its documents to the cluster')
    .action(() => run(async (config, out) => (await import('../commands/register.ts')).register(config(), out)))
}
