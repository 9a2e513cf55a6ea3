import { mkdir, mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { allCases } from './all-cases.ts'
import type { Case } from './case.ts'
import { type Channel, endpointChannel, startedAgent } from './channel.ts'
import { kitKeys } from './kit-keys.ts'
import { StandInPlatform } from './platform.ts'
import { artifacts, NotConform, World } from './world.ts'

export interface KitOptions {
  /** The agent's endpoint. Absent: with `start`, a free port on loopback; else commands go by `channel`. */
  readonly url?: string
  /** Bearer token of the endpoint's state and facts. */
  readonly readToken?: string
  /** Shell command that starts the agent; it is told everything by `INTERLOCK_*`. */
  readonly start?: string
  /** Another way to reach the agent, given what it is called: the topics of a broker. */
  readonly channel?: Channel
  /** More environment for the started agent. */
  readonly environmentOfAgent?: Readonly<Record<string, string>>
  readonly folder: string
  readonly agent: string
  readonly environment: string
  readonly deployment: string
  readonly platformPort: number
  readonly seed: number
  readonly patienceMs: number
  /** Only cases whose sentence or group contains one of these. */
  readonly only: readonly string[]
  /** Hears what an agent that the kit does not start must be given. */
  readonly explain: (environment: Readonly<Record<string, string>>) => void
  readonly tell: (result: CaseResult) => void
}

export interface CaseResult {
  readonly group: Case['group']
  readonly sentence: string
  readonly outcome: 'passed' | 'failed' | 'left-out'
  /** Why it failed, or was left out. */
  readonly detail: string
  readonly ms: number
}

export interface Report {
  readonly seed: number
  readonly passed: number
  readonly failed: number
  readonly leftOut: number
  readonly results: readonly CaseResult[]
}

/**
 * Runs the conformance cases against an agent (docs/agent-protocol.md "Conformance").
 *
 * @throws NotConform when the agent cannot be met at all: it does not answer, or was not given the kit's keyset.
 */
export async function runKit(options: KitOptions): Promise<Report> {
  const folder = resolve(options.folder)
  const keys = await kitKeys(folder, options.agent)
  const platform = new StandInPlatform(artifacts)
  const platformUrl = await platform.listen(options.platformPort)
  const url =
    options.url ??
    (options.start === undefined || options.channel !== undefined ? undefined : `http://127.0.0.1:${await freePort()}`)
  await mkdir(join(folder, 'state'), { recursive: true, mode: 0o700 })
  const environment: Record<string, string> = {
    INTERLOCK_AGENT: options.agent,
    INTERLOCK_ENVIRONMENT: options.environment,
    INTERLOCK_DEPLOYMENT: options.deployment,
    INTERLOCK_KEY_FILE: keys.agent.file,
    INTERLOCK_KEYSET_FILE: keys.keysetFile,
    INTERLOCK_STATE_FOLDER:
      options.start === undefined ? join(folder, 'state') : await mkdtemp(join(folder, 'state', 'run-')),
    INTERLOCK_PLATFORM_URL: platformUrl,
    ...(url === undefined ? {} : { INTERLOCK_LISTEN: new URL(url).host }),
    ...options.environmentOfAgent,
  }
  const started =
    options.start === undefined ? undefined : startedAgent(options.start, environment, join(folder, 'agent-output.log'))
  const channel = options.channel ?? endpointChannel(url ?? '', options.readToken)
  try {
    if (started === undefined) options.explain(environment)
    else started.start()
    const world = new World(options, {
      platform,
      keys,
      channel,
      ...(started === undefined ? {} : { process: started }),
    })
    await world.meet()
    return await runCases(world, options)
  } finally {
    platform.behave()
    await started?.kill()
    await channel.close()
    await platform.close()
  }
}

async function runCases(world: World, { only, seed, tell, channel }: KitOptions): Promise<Report> {
  const results: CaseResult[] = []
  for (const { group, sentence, needs, run } of allCases) {
    if (only.length > 0 && !only.some((part) => sentence.includes(part) || group === part)) continue
    const startedAt = performance.now()
    let outcome: CaseResult['outcome'] = 'passed'
    let detail = ''
    if (needs === 'process' && world.process === undefined) {
      outcome = 'left-out'
      detail = 'the kit did not start this agent, so it cannot kill it: use --start'
    } else if (needs === 'endpoint' && channel !== undefined) {
      outcome = 'left-out'
      detail = 'the agent is reached by topics here: use --url'
    } else {
      try {
        await run(world)
      } catch (error) {
        outcome = 'failed'
        detail = error instanceof NotConform ? error.message : ((error as Error).stack ?? String(error))
      }
      world.platform.behave()
    }
    const result = { group, sentence, outcome, detail, ms: Math.round(performance.now() - startedAt) }
    results.push(result)
    tell(result)
  }
  const count = (wanted: CaseResult['outcome']): number => results.filter(({ outcome }) => outcome === wanted).length
  return { seed, passed: count('passed'), failed: count('failed'), leftOut: count('left-out'), results }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolved) => server.listen(0, '127.0.0.1', resolved))
  const address = server.address()
  await new Promise((resolved) => server.close(resolved))
  if (address === null || typeof address === 'string') throw new Error('no free port was given')
  return address.port
}
