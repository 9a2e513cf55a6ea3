import type { DeploymentId } from '@interlock/contracts'
import type { Command } from 'commander'
import type { AskOptions } from '../commands/ask.ts'
import type { StartOptions } from '../commands/rollout.ts'
import { lawfulDeployment, positiveNumber } from './arguments.ts'
import type { Run } from './run.ts'

/** What asks for a change of what serves. */
export function actCommands(program: Command, run: Run): void {
  program
    .command('rollback')
    .description('go back to the version that served before, and watch until it is verified')
    .argument('<deployment>', 'deployment', lawfulDeployment)
    .option('--reason <text>', 'why; recorded')
    .option('--yes', 'do not ask', false)
    .option('--timeout <seconds>', 'how long to watch', positiveNumber, 90)
    .action((deployment: string, { reason, yes, timeout }: { reason?: string; yes: boolean; timeout: number }) =>
      run(async (config, out) =>
        (await import('../commands/rollback.ts')).rollback(
          config().data,
          deployment,
          { yes, timeoutMs: timeout * 1000, ...(reason === undefined ? {} : { reason }) },
          out,
        ),
      ),
    )

  const asking = [
    ['hold', 'hold', 'nothing is promoted until the hold is released'],
    ['release', 'release-hold', 'end holds that a person has to end'],
    ['halt', 'halt', 'stop the rollout where it is; two people start it again'],
    ['restore', 'restore', 'one of two signatures that lift a halt, ramp-down, rollback or fallback'],
  ] as const
  for (const [name, kind, what] of asking) {
    program
      .command(name)
      .description(what)
      .argument('<deployment>', 'deployment', lawfulDeployment)
      .requiredOption('--reason <text>', 'why; recorded')
      .requiredOption('--as <person>', 'who asks')
      .action((deployment: DeploymentId, options: AskOptions) =>
        run(async (config, out) => (await import('../commands/ask.ts')).ask(config(), kind, deployment, options, out)),
      )
  }

  const rollout = program.command('rollout').description('start and watch rollouts')
  rollout
    .command('start')
    .argument('<deployment>', 'deployment', lawfulDeployment)
    .requiredOption('--manifest <file>', 'manifest.json of the new version')
    .requiredOption('--baseline <file>', 'baseline.json of the new version')
    .requiredOption('--policy <file>', 'policy.yaml')
    .option('--shadow-policy <file>', 'a policy on trial beside it: sees the same counts, acts never')
    .option('--as <person>', 'who asks', 'author')
    .action((deployment: DeploymentId, options: StartOptions) =>
      run(async (config, out) =>
        (await import('../commands/rollout.ts')).rolloutStart(config(), deployment, options, out),
      ),
    )
  rollout
    .command('watch')
    .argument('<deployment>', 'deployment', lawfulDeployment)
    .option('--timeout <seconds>', 'how long to watch', positiveNumber, 3_600)
    .action((deployment: DeploymentId, { timeout }: { timeout: number }) =>
      run(async (config, out) =>
        (await import('../commands/rollout.ts')).rolloutWatch(config().data, deployment, timeout * 1000, out),
      ),
    )

  program
    .command('approve')
    .description('a second person approves a document by its hash')
    .argument('<deployment>', 'deployment', lawfulDeployment)
    .argument('<hash>')
    .option('--as <person>', 'who approves', 'approver')
    .option('--comment <text>', 'kept with the approval', '')
    .action((deployment: DeploymentId, hash: string, { as, comment }: { as: string; comment: string }) =>
      run(async (config, out) =>
        (await import('../commands/rollout.ts')).approve(config(), deployment, hash, as, comment, out),
      ),
    )
}
