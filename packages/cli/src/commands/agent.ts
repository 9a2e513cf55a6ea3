import { join } from 'node:path'
import { openKafkaLog } from '@interlock/runtime'
import pc from 'picocolors'
import { type CaseResult, type KitOptions, runKit } from '../conformance/kit.ts'
import { topicChannel } from '../conformance/topic-channel.ts'
import { NotConform } from '../conformance/world.ts'
import { exitCodes, Unavailable, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'

export type ConformanceOptions = Omit<KitOptions, 'explain' | 'tell' | 'channel' | 'environmentOfAgent'> & {
  /** Brokers of the topics by which the agent is reached, in place of its endpoint. */
  readonly brokers?: string
  readonly prefix: string
}

/** `interlock agent conformance`: a sentence for each behaviour, and whether the agent has it. Exit 1 when it lacks one. */
export async function agentConformance(options: ConformanceOptions, out: Output): Promise<number> {
  const { brokers, prefix } = options
  if (options.url === undefined && options.start === undefined && brokers === undefined)
    throw new UsageError(
      'Say where the agent is (--url <address>, or --brokers <list> for topics), or how to start it (--start <command>).',
    )
  if (options.url !== undefined && brokers !== undefined)
    throw new UsageError('An agent is reached by its endpoint (--url) or by topics (--brokers): name one of them.')
  if (options.url !== undefined && !URL.canParse(options.url))
    throw new UsageError(`--url "${options.url}" is no address: write for example http://127.0.0.1:7443`)
  // An agent that was started must not outlive us: it is killed when this process exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(exitCodes.interrupted))
  const explain: KitOptions['explain'] = (environment) => {
    out.say('The agent must be given this, and run until the end:')
    for (const [name, value] of Object.entries(environment)) out.say(`  ${name}=${value}`)
  }
  const tell = (result: CaseResult): void => {
    if (!out.json) process.stdout.write(`${line(result)}\n`)
  }
  try {
    const readToken = process.env.INTERLOCK_READ_TOKEN
    const report = await runKit({
      ...options,
      ...(readToken === undefined ? {} : { readToken }),
      explain,
      tell,
      ...(brokers === undefined ? {} : await overTopics(brokers, prefix, options.deployment)),
    })
    const { passed, failed, leftOut, seed } = report
    out.result(report, `\n${passed} passed, ${failed} failed, ${leftOut} left out (seed ${seed})`)
    return failed > 0 || passed === 0 ? exitCodes.breachOrRefused : exitCodes.good
  } catch (error) {
    if (error instanceof NotConform)
      throw new Unavailable(
        `The agent could not be met: ${error.message}. ${
          options.start === undefined
            ? 'Start it with what is listed above.'
            : `What it printed is in ${join(options.folder, 'agent-output.log')}.`
        }`,
      )
    throw error
  }
}

async function overTopics(
  brokers: string,
  prefix: string,
  deployment: string,
): Promise<Pick<KitOptions, 'channel' | 'environmentOfAgent'>> {
  const log = openKafkaLog({ brokers: brokers.split(','), clientId: 'interlock-conformance', prefix })
  return {
    channel: await topicChannel(log, deployment),
    environmentOfAgent: { INTERLOCK_BROKERS: brokers, INTERLOCK_TOPIC_PREFIX: prefix },
  }
}

function line({ outcome, sentence, detail, ms }: CaseResult): string {
  const seconds = pc.dim(`${(ms / 1_000).toFixed(1)} s`)
  if (outcome === 'passed') return `${pc.green('pass')}  ${sentence} ${seconds}`
  if (outcome === 'failed') return `${pc.red('FAIL')}  ${sentence} ${seconds}\n      ${detail}`
  return `${pc.yellow('skip')}  ${sentence}\n      ${detail}`
}
