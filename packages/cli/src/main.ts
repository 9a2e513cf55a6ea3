import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type DeploymentId, deploymentId } from '@interlock/contracts'
import { type FaultName, faultNames } from '@interlock/example-flights'
import { Command, InvalidArgumentError, Option } from 'commander'
import { ApiError } from './api-client.ts'
import type { BaselineBuildOptions } from './commands/baseline.ts'
import { type Config, loadConfig } from './config.ts'
import { exitCodeOf, exitCodes } from './errors.ts'
import { documentVersion, type Output, output } from './output.ts'

interface Global {
  readonly json?: boolean
  readonly config?: string
  readonly data?: string
}

const program = new Command('interlock')
  .description('Watches machine-learning deployments while they serve, and stops a bad one.')
  .option('--json', 'one JSON document (or a line an event) on standard output')
  .option('--config <file>', 'configuration (default: interlock.yaml, where there is one)')
  .option('--data <folder>', 'folder of the log, the keys and the token')
  .configureHelp({
    visibleCommands: (command) => (command.parent === null ? command.commands.filter(isFirst) : [...command.commands]),
  })
  .addHelpText('after', '\n`interlock help all` lists every command.')
  .exitOverride((error) => {
    if (error.exitCode !== 0 && process.argv.includes('--json'))
      process.stdout.write(`${JSON.stringify({ v: documentVersion, error: error.message })}\n`)
    process.exit(error.exitCode === 0 ? exitCodes.good : exitCodes.usage)
  })

const firstCommands = ['up', 'demo', 'status', 'why', 'rollback']
function isFirst(command: Command): boolean {
  return firstCommands.includes(command.name())
}

/**
 * Runs one command: its exit code, or one sentence for a person and the exit code of what went wrong. Each
 * command is imported when it is asked for, so that `status` need not load what `up` needs.
 */
async function run(work: (config: () => Config, out: Output) => number | Promise<number>): Promise<void> {
  const { json = false, config, data } = program.opts<Global>()
  const out = output(json)
  try {
    process.exitCode = await work(() => {
      const loaded = loadConfig(config ?? (data === undefined ? undefined : configIn(data)))
      return data === undefined ? loaded : { ...loaded, data: resolve(data) }
    }, out)
  } catch (error) {
    const known = error instanceof Error && ['UsageError', 'Unavailable', 'Refused', 'ApiError'].includes(error.name)
    const text = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error)
    if (json)
      process.stdout.write(
        `${JSON.stringify({ v: documentVersion, error: error instanceof Error ? error.message : text })}\n`,
      )
    process.stderr.write(`${text}\n`)
    process.exitCode = error instanceof ApiError ? exitCodes.breachOrRefused : exitCodeOf(error)
  }
}

program
  .command('up')
  .description('start everything in this process, with the live page')
  .action(() => run(async (config, out) => (await import('./commands/up.ts')).up(config(), out)))

program
  .command('demo')
  .description('a bad model is rolled back on real data, in about two minutes')
  .addOption(new Option('--fault <name>', 'what goes wrong').choices([...faultNames]).default('unit'))
  .option('--seed <n>', 'seed of traffic and chance', wholeNumber, 1)
  .option('--rate <n>', 'predictions a second', positiveNumber, 1_500)
  .option('--speed <factor>', 'multiplies the rate', positiveNumber, 1)
  .option('--onset <seconds>', 'from the first answers of v2 to the fault', notNegative, 3)
  .option('--port <n>', 'port of the page', wholeNumber, 7070)
  .option('--stay', 'keep the page open after the end, until Ctrl-C', false)
  .action(({ fault, ...options }: Omit<import('./demo/demo.ts').DemoOptions, 'data'>) =>
    run(async (_, out) => {
      const { demo } = await import('./demo/demo.ts')
      return demo(
        { ...options, fault: fault as FaultName, data: program.opts<Global>().data ?? '.interlock/demo' },
        out,
      )
    }),
  )

program
  .command('status')
  .description('every deployment, what needs a person first')
  .action(() => run(async (config, out) => (await import('./commands/status.ts')).status(config().data, out)))

program
  .command('why')
  .description('the last decision, its evidence, the counts and the records behind it')
  .argument('<deployment>')
  .option('--decision <hash>', 'another decision than the last')
  .action((deployment: string, { decision }: { decision?: string }) =>
    run(async (config, out) => (await import('./commands/why.ts')).why(config().data, deployment, decision, out)),
  )

program
  .command('rollback')
  .description('go back to the version that served before, and watch until it is verified')
  .argument('<deployment>', 'deployment', lawfulDeployment)
  .option('--reason <text>', 'why; recorded')
  .option('--yes', 'do not ask', false)
  .option('--timeout <seconds>', 'how long to watch', positiveNumber, 90)
  .action((deployment: string, { reason, yes, timeout }: { reason?: string; yes: boolean; timeout: number }) =>
    run(async (config, out) =>
      (await import('./commands/rollback.ts')).rollback(
        config().data,
        deployment,
        { yes, timeoutMs: timeout * 1000, ...(reason === undefined ? {} : { reason }) },
        out,
      ),
    ),
  )

const rollout = program.command('rollout').description('start and watch rollouts')
rollout
  .command('start')
  .argument('<deployment>', 'deployment', lawfulDeployment)
  .requiredOption('--manifest <file>', 'manifest.json of the new version')
  .requiredOption('--baseline <file>', 'baseline.json of the new version')
  .requiredOption('--policy <file>', 'policy.yaml')
  .option('--as <person>', 'who asks', 'author')
  .action((deployment: DeploymentId, options: { manifest: string; baseline: string; policy: string; as: string }) =>
    run(async (config, out) =>
      (await import('./commands/rollout.ts')).rolloutStart(config(), deployment, options, out),
    ),
  )
rollout
  .command('watch')
  .argument('<deployment>', 'deployment', lawfulDeployment)
  .option('--timeout <seconds>', 'how long to watch', positiveNumber, 3_600)
  .action((deployment: DeploymentId, { timeout }: { timeout: number }) =>
    run(async (config, out) =>
      (await import('./commands/rollout.ts')).rolloutWatch(config().data, deployment, timeout * 1000, out),
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
      (await import('./commands/rollout.ts')).approve(config(), deployment, hash, as, comment, out),
    ),
  )

const policy = program.command('policy').description('check and explain policies')
policy
  .command('check')
  .argument('<file>')
  .action((file: string) => run(async (_, out) => (await import('./commands/policy.ts')).policyCheck(file, out)))
policy
  .command('explain')
  .argument('<file>')
  .action((file: string) => run(async (_, out) => (await import('./commands/policy.ts')).policyExplain(file, out)))

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
      (await import('./commands/baseline.ts')).baselineBuild({ ...options, segments: segment }, out),
    ),
  )

program
  .command('replay')
  .description('execute the log again and compare every byte')
  .option('--verify', 'compare outs and state hashes (the only mode)', true)
  .option('--processor <name>', 'only this one')
  .action(({ processor }: { processor?: string }) =>
    run(async (config, out) => (await import('./commands/replay.ts')).replay(config(), processor, out)),
  )

program
  .command('doctor')
  .description('find what is wrong before it matters')
  .action(() => run(async (config, out) => (await import('./commands/doctor.ts')).doctor(config(), out)))

program
  .command('help')
  .argument('[topic]')
  .action((topic?: string) => {
    if (topic === 'all') {
      process.stdout.write(`${every(program).join('\n')}\n`)
      return
    }
    const about = topic === undefined ? program : program.commands.find((command) => command.name() === topic)
    if (about === undefined) return program.error(`error: there is no command '${topic}'; \`help all\` lists them`)
    about.outputHelp()
  })

function every(command: Command, prefix = 'interlock'): string[] {
  return command.commands.flatMap((one) => {
    const name = `${prefix} ${one.name()}`
    const usage = one.registeredArguments.map((argument) => ` <${argument.name()}>`).join('')
    return one.commands.length > 0 ? every(one, name) : [`${name}${usage}  ${one.description()}`.trimEnd()]
  })
}

function configIn(data: string): string | undefined {
  const file = join(data, 'interlock.yaml')
  return existsSync(file) ? file : undefined
}

function lawfulDeployment(text: string): DeploymentId {
  const id = deploymentId(text)
  if (id === undefined)
    throw new InvalidArgumentError('a deployment is named by lower-case letters, digits and dashes.')
  return id
}
function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('write a whole number.')
  return value
}
function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('write a number above 0.')
  return value
}
function notNegative(text: string): number {
  const value = Number(text)
  if (!(value >= 0)) throw new InvalidArgumentError('write 0 or more.')
  return value
}

// A reader that has gone away (`head`, a closed terminal) ends no command, least of all a running `up`.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}
await program.parseAsync()
