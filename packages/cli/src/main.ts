import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { ApiError } from './api-client.ts'
import { loadConfig } from './config.ts'
import { exitCodeOf, exitCodes, isForPeople } from './errors.ts'
import { documentVersion, output } from './output.ts'
import { actCommands } from './program/act.ts'
import { agentCommands } from './program/agent.ts'
import { clusterCommands } from './program/cluster.ts'
import { documentCommands } from './program/documents.ts'
import { lookCommands } from './program/look.ts'
import { recordCommands } from './program/records.ts'
import type { Run } from './program/run.ts'
import { startCommands } from './program/start.ts'

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
    visibleCommands: (command) => (command.parent === null ? first(command.commands) : [...command.commands]),
  })
  .addHelpText('after', '\n`interlock help all` lists every command.')
  .exitOverride((error) => {
    if (error.exitCode !== 0 && process.argv.includes('--json'))
      process.stdout.write(`${JSON.stringify({ v: documentVersion, error: error.message })}\n`)
    process.exit(error.exitCode === 0 ? exitCodes.good : exitCodes.usage)
  })

/** What a newcomer is shown, in this order. */
function first(commands: readonly Command[]): Command[] {
  const names = ['up', 'demo', 'status', 'why', 'rollback']
  return names.flatMap((name) => commands.filter((command) => command.name() === name))
}

const run: Run = async (work) => {
  const { json = false, config, data } = program.opts<Global>()
  const out = output(json)
  try {
    process.exitCode = await work(() => {
      if (data === undefined) return loadConfig(config)
      return loadConfig(config ?? configIn(data), { ...process.env, INTERLOCK_DATA: resolve(data) })
    }, out)
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    const text = isForPeople(error) ? error.message : stack
    if (json)
      process.stdout.write(
        `${JSON.stringify({ v: documentVersion, error: error instanceof Error ? error.message : text })}\n`,
      )
    process.stderr.write(`${text}\n`)
    process.exitCode = error instanceof ApiError ? exitCodes.breachOrRefused : exitCodeOf(error)
  }
  // What a client left open must not keep a process that has ended: its supervisor waits for that to start another.
  setTimeout(() => process.exit(), lingerMs).unref()
}
const lingerMs = 1_000

startCommands(program, run)
lookCommands(program, run)
actCommands(program, run)
agentCommands(program, run)
documentCommands(program, run)
recordCommands(program, run)
clusterCommands(program, run)

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

// A reader that has gone away (`head`, a closed terminal) ends no command, least of all a running `up`.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}
await program.parseAsync()
