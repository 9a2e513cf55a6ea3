import type { Command } from 'commander'
import { positiveNumber, wholeNumber } from './arguments.ts'
import type { Run } from './run.ts'

interface Options {
  readonly url?: string
  readonly start?: string
  readonly brokers?: string
  readonly prefix: string
  readonly folder: string
  readonly agent: string
  readonly environment: string
  readonly deployment: string
  readonly platformPort: number
  readonly seed: number
  readonly patience: number
  readonly only: readonly string[]
}

/** What is for those who write or run an agent. */
export function agentCommands(program: Command, run: Run): void {
  const agent = program.command('agent').description('run an agent of its own, and test any agent')
  agent
    .command('run')
    .description('our agent for one deployment, told everything by INTERLOCK_*')
    .action(() => run(async () => (await import('../commands/agent-run.ts')).agentRun()))
  agent
    .command('conformance')
    .description('throw at an agent what it must withstand, and say what it does')
    .option('--url <address>', 'endpoint of the agent')
    .option('--brokers <host:port,…>', 'brokers of its topics, in place of an endpoint')
    .option('--prefix <text>', 'before the names of the topics', 'interlock.')
    .option('--start <command>', 'starts the agent, so that it can be killed in every step')
    .option('--folder <folder>', 'keys, keyset and output of the kit', '.interlock/conformance')
    .option('--agent <name>', 'what the agent is called', 'agent-under-test')
    .option('--environment <name>', 'environment of the commands', 'conformance')
    .option('--deployment <name>', 'deployment of the commands', 'conformance')
    .option('--platform-port <n>', 'port of the stand-in platform', wholeNumber, 0)
    .option('--seed <n>', 'seed of orders and mutants', wholeNumber, 1)
    .option('--patience <seconds>', 'how long to wait for what must come', positiveNumber, 20)
    .option('--only <words...>', 'only cases with these words, or of these groups', [])
    .action(({ patience, ...options }: Options) =>
      run(async (_, out) =>
        (await import('../commands/agent.ts')).agentConformance({ ...options, patienceMs: patience * 1_000 }, out),
      ),
    )
}
