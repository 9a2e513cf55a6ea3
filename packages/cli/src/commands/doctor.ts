import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import pc from 'picocolors'
import { apiClient } from '../api-client.ts'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { exitCodes } from '../errors.ts'
import { accountLine, fleetAccount, overspent } from '../fleet-budget.ts'
import type { Output } from '../output.ts'
import { kafkaOf } from '../parts/kafka.ts'
import { platformOf } from '../parts/platforms.ts'
import { registryFinding } from '../parts/registry.ts'
import { checkPolicyFiles, readPolicyFiles } from '../policy-file.ts'
import type { ServiceName } from '../services.ts'
import { deadMan } from './dead-man.ts'
import { kafkaFindings } from './doctor-kafka.ts'
import type { Attempt, Finding } from './finding.ts'

/** Oldest Node whose type stripping and SQLite the project relies on. */
const nodeMajor = 24

/**
 * `interlock doctor`: finds what is wrong before it matters. Exit 1 when something is.
 *
 * @param service  looks at what that service of a cluster needs, as that service
 */
export async function doctor(config: Config, service: ServiceName | null, out: Output): Promise<number> {
  const findings: Finding[] = []
  const attempt: Attempt = async (check, work) => {
    const found = await Promise.resolve()
      .then(work)
      .catch((error: unknown) => {
        return { state: 'failed', detail: error instanceof Error ? error.message : String(error) } as const
      })
    findings.push({ check, ...found })
    return found.state !== 'failed'
  }

  await attempt('Node', () => {
    const major = Number(process.versions.node.split('.')[0])
    return major >= nodeMajor
      ? { state: 'ok', detail: process.versions.node }
      : {
          state: 'failed',
          detail: `${process.versions.node} runs, ${nodeMajor} is needed. Start through \`npm run\`, which brings its own.`,
        }
  })
  await attempt('configuration', () => ({ state: 'ok', detail: config.file ?? 'no interlock.yaml: defaults' }))
  await attempt('data folder', () => {
    if (!existsSync(config.data))
      return { state: 'note', detail: `${config.data} is not there yet; \`interlock up\` makes it` }
    const { keys } = config
    if (existsSync(keys) && (statSync(keys).mode & 0o077) !== 0) {
      return { state: 'failed', detail: `${keys} can be read by others. Run: chmod 700 ${keys}` }
    }
    return { state: 'ok', detail: config.data }
  })
  const isWatching = async (): Promise<Omit<Finding, 'check'>> => {
    if (!existsSync(join(config.data, 'endpoint.json')))
      return { state: 'note', detail: 'not running; start it with `interlock up`' }
    const { missing } = await apiClient(config.data).get<unknown>('/api/v1/deployments')
    return missing.length === 0
      ? { state: 'ok', detail: 'answers, nothing missing' }
      : { state: 'failed', detail: missing.join('; ') }
  }
  if (service === null || service === 'console') await attempt('running', isWatching)
  if (config.registry !== undefined && (service === null || service === 'profiler'))
    await attempt('schema registry', () => registryFinding(config))
  await attempt('deployments', () => {
    const files = readDeployments(config)
    return files.length === 0
      ? { state: 'note', detail: `no file in ${config.deployments}` }
      : { state: 'ok', detail: files.map(({ document }) => document.deployment).join(', ') }
  })
  for (const { document, policy } of safely(() => readDeployments(config))) {
    await attempt(`policy of ${document.deployment}`, () => {
      const { problems } = checkPolicyFiles(policy, readPolicyFiles(policy))
      const [first] = problems
      return first === undefined
        ? { state: 'ok', detail: policy }
        : { state: 'failed', detail: `${first.file}:${first.line}:${first.column} ${first.happened}` }
    })
    if (service !== null && service !== 'agent') continue
    await attempt(`platform of ${document.deployment}`, async () => {
      const platform = platformOf(config, document.deployment)
      const observed = await platform.observe()
      const ready = await platform.ready(observed.stable)
      return ready.ok
        ? { state: 'ok', detail: `${platform.kind} answers; ${observed.stable.slice(0, 8)} serves and is ready` }
        : {
            state: 'failed',
            detail: ready.checks
              .filter((one) => !one.ok)
              .map((one) => `${one.name}: ${one.detail}`)
              .join('; '),
          }
    })
  }
  if (config.fleet !== undefined) {
    await attempt('false-action budget', () => {
      const account = fleetAccount(config)!
      const over = account.accounts.filter(({ fits }) => !fits)
      return over.length === 0
        ? { state: 'ok', detail: accountLine(account) }
        : { state: 'failed', detail: over.map(overspent).join('\n') }
    })
  }
  if (config.watchers.length > 0) {
    await attempt("dead-man's switch", async () => {
      const { state = 'note', detail = 'no watchers' } = (await deadMan(config)) ?? {}
      return { state, detail }
    })
  }
  await attempt('clock', () => {
    // Two readings of the wall clock and the monotonic clock must advance alike; a stepping clock shows here.
    const wall = Date.now()
    const steady = performance.now()
    const drift = Math.abs(Date.now() - wall - (performance.now() - steady))
    return wall > Date.UTC(2024, 0, 1) && drift < 50
      ? { state: 'ok', detail: new Date(wall).toISOString() }
      : {
          state: 'failed',
          detail: `the clock reads ${new Date(wall).toISOString()}: set it (NTP) before anything is judged by time`,
        }
  })

  if (config.kafka !== undefined) await kafkaFindings(config, service, attempt)
  else if (service !== null) kafkaOf(config)

  const mark = { ok: pc.green('✓'), note: pc.yellow('!'), failed: pc.red('✗') }
  out.result({ findings }, findings.map((one) => `${mark[one.state]} ${one.check}: ${one.detail}`).join('\n'))
  return findings.some((one) => one.state === 'failed') ? exitCodes.breachOrRefused : exitCodes.good
}

function safely<T>(work: () => readonly T[]): readonly T[] {
  try {
    return work()
  } catch {
    return [] // reported by its own check
  }
}
