import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import type { DeploymentId, PersonId } from '@interlock/contracts'
import {
  type FaultName,
  faultSentences,
  faultySource,
  isVersionFault,
  routerChild,
  trafficChild,
  train,
  writeArtifacts,
} from '@interlock/example-flights'
import pino from 'pino'
import { loadConfig } from '../config.ts'
import { readDocument, readPolicy } from '../documents.ts'
import { exitCodes, Refused, Unavailable } from '../errors.ts'
import type { Output } from '../output.ts'
import { startEmbedded } from '../up/embedded.ts'
import { count, percent, shortVersion } from '../words.ts'
import { startBroker } from './broker.ts'
import { type Running, start } from './children.ts'
import { deployment, freshFolder, type Prepared, prepare } from './prepare.ts'
import { type Staged, startProcesses } from './processes.ts'
import { Story, type Summary } from './story.ts'

export interface DemoOptions {
  readonly fault: FaultName
  readonly seed: number
  /** Predictions a second. */
  readonly rate: number
  readonly speed: number
  /** Seconds between the canary's first answers and the fault. */
  readonly onset: number
  readonly port: number
  readonly data: string
  /** Services as processes on Kafka: true starts a broker, an address names one that runs. */
  readonly kafka?: string | true
  /** Keep everything running after the summary, until Ctrl-C. */
  readonly stay: boolean
}

/** The whole story must end within this time, or the demo says what it was waiting for. */
const storyMs = 150_000
/** After a data incident the demo looks on for so long, to see that no rollback follows. */
const incidentLookMs = 6_000
const pollMs = 100
/** A story lasts less than a minute; snapshots so often leave old ones that `replay --verify` can start from. */
const demoSnapshotMs = 8_000

/** `interlock demo`: real flights, two models, a router; a rollout of v2 that goes wrong (or not), and what is done. */
export async function demo(options: DemoOptions, out: Output): Promise<number> {
  const began = performance.now()
  const since = (): string =>
    `${String(Math.floor((performance.now() - began) / 60_000)).padStart(2, '0')}:${String(Math.floor((performance.now() - began) / 1000) % 60).padStart(2, '0')}`
  const tell = (event: string, details: Readonly<Record<string, unknown>>, text: string): void =>
    out.event({ event, ...details }, `${since()}  ${text}`)
  const folder = resolve(options.data)
  await freshFolder(folder)
  const artifacts = join(folder, 'artifacts')

  const closers: (() => Promise<void>)[] = []
  try {
    // First what may be missing here.
    const sections = options.kafka === undefined ? {} : await kafkaSections(options.kafka, folder, closers, tell)
    const trained = await train()
    await writeArtifacts(artifacts, trained)
    const { auc } = trained.report
    tell(
      'trained',
      { auc },
      `✓ trained v1 and v2 on real flights; on late March v1 scores ${auc.v1.toFixed(3)}, v2 ${auc.v2.toFixed(3)}: v2 looks better`,
    )

    const token = randomBytes(24).toString('base64url')
    process.env.ROUTER_ADMIN_TOKEN = randomBytes(24).toString('base64url')
    const router = start(
      'the router',
      routerChild({
        artifacts,
        stateFile: join(folder, 'router-state.json'),
        seed: options.seed,
        allowFaults: true,
        adminToken: process.env.ROUTER_ADMIN_TOKEN,
        ingestUrl: `http://127.0.0.1:${options.port}`,
        ingestToken: token,
      }),
    )
    closers.push(() => router.stop())
    const routerUrl = String((await router.first).listening)
    const ready = await prepare(folder, routerUrl, artifacts, trained, sections)
    tell('prepared', { folder }, '✓ counted the baselines of both on March')

    const config = { ...loadConfig(ready.configFile), listen: { port: options.port } }
    const logger = pino(
      { level: process.env.INTERLOCK_LOG ?? 'info' },
      pino.destination({ dest: join(folder, 'interlock.log'), sync: true }),
    )
    const interlock: Staged =
      config.kafka === undefined
        ? await startEmbedded(config, {
            logger,
            demo: true,
            durability: 'process-crash',
            token,
            limits: { snapshotMs: demoSnapshotMs },
          })
        : await startProcesses(config, { logger, token, port: options.port, tell })
    closers.push(() => interlock.stop())
    tell('up', { url: interlock.url, token }, `✓ Interlock watches at ${interlock.url}/#t=${token}`)

    const story = new Story(options.fault === 'source' ? { faultySource } : {})
    for (const processor of ['profiler', 'evaluator', 'governor'] as const)
      interlock.follow(processor, (one, at) => story.take(one, at))
    const traffic = start(
      'the traffic',
      trafficChild({ router: routerUrl, rate: options.rate, speed: options.speed, seed: options.seed }),
    )
    closers.push(() => traffic.stop())

    const stage = new Stage(story, interlock, tell)
    await stage.approveAndStart(ready)
    await stage.follow(options, { traffic, routerUrl, adminToken: process.env.ROUTER_ADMIN_TOKEN })
    const summary = story.summary(options.fault, options.seed)
    out.event(summary, describe(summary))
    if (options.stay) {
      out.say(`Everything goes on at ${interlock.url}. Ctrl-C ends it.`)
      await Promise.race([interlock.done, new Promise<void>((end) => process.once('SIGINT', () => end()))])
    }
    return endedAsSaid(options.fault, summary) ? exitCodes.good : exitCodes.breachOrRefused
  } finally {
    for (const close of closers.toReversed()) await close()
  }
}

/** Deployments of a demo fill one shard; a few show that there can be several. */
const demoShards = 4

/** The section `kafka` of the demo's configuration, with a broker started where none is named. */
async function kafkaSections(
  named: string | true,
  folder: string,
  closers: (() => Promise<void>)[],
  tell: Tell,
): Promise<Readonly<Record<string, unknown>>> {
  const began = performance.now()
  const broker = named === true ? await startBroker(join(folder, 'kafka')) : { address: named, stop: async () => {} }
  closers.push(() => broker.stop())
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const what = named === true ? `started a Kafka broker in ${seconds} s` : 'uses the Kafka broker'
  tell('broker', { broker: broker.address }, `✓ ${what}: ${broker.address}`)
  // On a broker of others each run has names of its own.
  const prefix = named === true ? 'interlock.' : `demo-${Date.now().toString(36)}.`
  return { kafka: { brokers: [broker.address], prefix, shards: { deployments: demoShards } } }
}

/** How each fault must end: statements that the exit code stands for. */
export function endedAsSaid(
  fault: FaultName,
  { rolledBack, held, promoted, verifiedAt, falseAlarms, cause }: Summary,
): boolean {
  if (falseAlarms > 0) return false
  if (fault === 'none') return promoted && !rolledBack && !held
  if (fault === 'source') return held && !rolledBack && (cause ?? '').includes(faultySource)
  return rolledBack && verifiedAt !== null && !promoted
}

type Tell = (event: string, details: Readonly<Record<string, unknown>>, text: string) => void

/** The actors of the demo: two people who approve and start, a hand that breaks something, and the teller. */
class Stage {
  readonly #story: Story
  readonly #interlock: Staged
  readonly #tell: Tell
  #told = 0
  #head = ''
  #strength = -1

  constructor(story: Story, interlock: Staged, tell: Tell) {
    this.#story = story
    this.#interlock = interlock
    this.#tell = tell
  }

  async approveAndStart(ready: Prepared): Promise<void> {
    const id = deployment as DeploymentId
    const policy = readPolicy(ready.policy, 'author' as PersonId)
    await this.#until('the registration', () => this.#story.decisions.some(({ outcome }) => outcome === 'registered'))
    const registered = this.#story.decisions.find(({ outcome }) => outcome === 'registered')
    if (registered === undefined) throw new Refused('the deployment was not registered')
    const registration = this.#interlock.registrations.get(id)
    if (registration === undefined) throw new Refused(`${id} has no registration`)
    for (const object of [registration.document, registration.policy]) {
      await this.#interlock.submit('approver', id, {
        kind: 'approve',
        deployment: id,
        object,
        comment: 'read and approved',
      })
    }
    await this.#until(
      'the first evidence of v1',
      () => (this.#story.evidence?.totals.some(({ rows }) => rows > 0) ?? false) && this.#engineOk(),
    )
    const manifest = readDocument(ready.candidate.manifest, 'manifest')
    const baseline = readDocument(ready.candidate.baseline, 'baseline')
    for (const { document } of [baseline, manifest])
      await this.#interlock.submit('author', id, { kind: 'document', document })
    await this.#interlock.submit('author', id, {
      kind: 'rollout',
      deployment: id,
      candidate: manifest.document.version,
      manifest: manifest.hash,
      policy: policy.hash,
    })
  }

  async follow(
    options: DemoOptions,
    hands: { readonly traffic: Running; readonly routerUrl: string; readonly adminToken: string },
  ): Promise<void> {
    const story = this.#story
    await this.#until(
      'the first answers of v2',
      () => this.#candidateShare() > 0 && story.state?.command?.state === 'verified',
    )
    if (options.fault !== 'none') {
      await this.#pause(options.onset * 1000)
      story.onset = Date.now()
      await inject(options.fault, hands)
      this.#tell(
        'fault',
        { fault: options.fault, at: new Date(story.onset).toISOString() },
        `⚑ fault: ${faultSentences[options.fault]}`,
      )
    }
    await this.#until('the end of the story', () => this.#ended(options.fault))
    await this.#pause(options.fault === 'source' ? incidentLookMs : 500)
  }

  #ended(fault: FaultName): boolean {
    const { decisions, state } = this.#story
    const has = (outcome: string): boolean => decisions.some((one) => one.outcome === outcome)
    if (has('rolled-back')) return state?.command?.state === 'verified' || state?.command?.state === 'escalated'
    if (has('completed')) return true
    return fault === 'source' && has('data-incident')
  }

  #engineOk(): boolean {
    return this.#story.state?.engines.every(({ state }) => state === 'ok') ?? false
  }

  #candidateShare(): number {
    return this.#story.state?.view.share ?? 0
  }

  async #pause(ms: number): Promise<void> {
    const end = performance.now() + ms
    await this.#until('a pause', () => performance.now() >= end)
  }

  async #until(what: string, reached: () => boolean): Promise<void> {
    const end = performance.now() + storyMs
    while (!reached()) {
      this.#narrate()
      if (performance.now() > end) {
        const { state } = this.#story
        throw new Unavailable(
          `the demo waited ${storyMs / 1000} s for ${what}. It stands at: ${state?.sentence ?? 'nothing yet'} ${state?.blocked.join(' ') ?? ''}`,
        )
      }
      await Promise.race([new Promise((tick) => setTimeout(tick, pollMs)), this.#interlock.done])
    }
    this.#narrate()
  }

  #narrate(): void {
    const { decisions, state } = this.#story
    for (const decision of decisions.slice(this.#told)) {
      this.#told++
      this.#tell(
        decision.outcome,
        { text: decision.text, hash: decision.id, rule: decision.rule, at: new Date(decision.at).toISOString() },
        decision.text,
      )
    }
    if (state === undefined) return
    const { view, command } = state
    const head = `${view.stage} ${view.share} ${command?.order.join('.')} ${command?.state}`
    if (command !== null && head !== this.#head) {
      this.#head = head
      const share =
        view.candidate === null || view.stage === null
          ? `${shortVersion(view.stable)} answers everybody`
          : `${shortVersion(view.candidate)} at ${percent(view.share)}, stage ${view.stage}`
      const { order, state: step } = command
      this.#tell('command', { order, state: step, share: view.share, stage: view.stage }, `  command ${step}: ${share}`)
    }
    const strongest = this.#story.strongest()
    if (strongest !== undefined && strongest.part >= 0.1) {
      const step = Math.min(10, Math.floor(strongest.part * 10))
      if (step !== this.#strength) {
        this.#strength = step
        const { guardrail, version, evidence, limit } = strongest.about
        this.#tell(
          'evidence',
          { guardrail, version, logE: evidence.logE.harm, limit },
          `  evidence ${'█'.repeat(step)}${'░'.repeat(10 - step)} ${guardrail} (${shortVersion(version)}) ${evidence.logE.harm.toFixed(1)} of ${limit.toFixed(1)}`,
        )
      }
    }
  }
}

async function inject(
  fault: FaultName,
  hands: { readonly traffic: Running; readonly routerUrl: string; readonly adminToken: string },
): Promise<void> {
  if (!isVersionFault(fault)) {
    hands.traffic.write('fault source on')
    return
  }
  const response = await fetch(new URL('/admin/fault', hands.routerUrl), {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${hands.adminToken}` },
    body: JSON.stringify({ fault, active: true }),
  })
  if (!response.ok)
    throw new Unavailable(`the router did not take the fault: ${response.status} ${await response.text()}`)
}

function describe(summary: Summary): string {
  const end = summary.rolledBack
    ? 'rolled back'
    : summary.promoted
      ? 'promoted fully'
      : summary.held
        ? 'held'
        : 'unfinished'
  return [
    '',
    `${shortVersion(summary.toVersion)} ${end}. ${summary.cause ?? 'No alarm.'}`,
    `${count(summary.eventsProcessed)} events judged, ${count(summary.eventsPerSecond)} a second; ${count(summary.badPredictionsServed)} answers while it was wrong; false alarms: ${summary.falseAlarms}`,
  ].join('\n')
}
