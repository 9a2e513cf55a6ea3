import {
  contentTypes,
  type Observed,
  type Prediction,
  probeDeployment,
  topics,
  type VersionId,
} from '@interlock/contracts'
import type { Clock, EventLog } from '@interlock/runtime'
import { digestOf, probeStable } from './documents.ts'

/** How often a message, and rows in it: enough to be judged and verified within seconds while something happens, few otherwise. */
export const trafficTimes = { busyEveryMs: 250, busyRows: 12, idleEveryMs: 1_000, idleRows: 1 } as const

export interface TrafficOptions {
  readonly log: EventLog
  readonly clock: Clock
  readonly environment: string
  readonly tenant: string
  /** Who answers, as the platform says. */
  readonly observe: () => Promise<Observed>
}

/** What the traffic is like now. */
export interface Mood {
  readonly isBusy: boolean
  /** The version that may be a candidate, and whether it answers errors. */
  readonly candidate: VersionId
  readonly candidateFails: boolean
}

/**
 * The probe's users: rows answered as the platform's weights say, on every partition in turn. Their event time is the log's
 * own, as of its last answer, so that a clock of this machine that is off neither breaks nor mends a round.
 */
export class Traffic {
  readonly #options: TrafficOptions
  #sent = 0
  #messages = 0
  /** The log's time less this machine's. */
  #offMs = 0

  constructor(options: TrafficOptions) {
    this.#options = options
  }

  /** Sends one message. @throws what the log throws */
  async send(mood: Mood): Promise<void> {
    const { log, clock, observe } = this.#options
    const observed = await observe()
    const partition = this.#messages++ % (await log.partitions(topics.probe))
    const rows = mood.isBusy ? trafficTimes.busyRows : trafficTimes.idleRows
    const records = Array.from({ length: rows }, () => this.#row(observed, mood))
    const value = Buffer.from(JSON.stringify({ records }))
    const answer = await log.append(topics.probe, partition, { value, headers: { 'content-type': contentTypes.json } })
    if (answer !== 'unknown') this.#offMs = answer.at - clock.now()
  }

  #row(observed: Observed, { candidate, candidateFails }: Mood): Prediction {
    const nth = this.#sent++
    const isExposed = observed.candidate === digestOf(candidate) && observed.share > 0
    // Spread evenly: of any two rows in a row half the share each.
    const ofCandidate = isExposed && Math.floor((nth + 1) * observed.share) > Math.floor(nth * observed.share)
    return {
      id: `probe-${process.pid}-${nth}`,
      environment: this.#options.environment,
      tenant: this.#options.tenant,
      deployment: probeDeployment,
      generation: observed.generation,
      version: ofCandidate ? candidate : probeStable,
      variant: ofCandidate ? 'candidate' : 'stable',
      unit: `unit-${nth % 1000}`,
      eventTimeMs: Math.round(this.#options.clock.now() + this.#offMs),
      features: {},
      prediction: nth % 2 === 0 ? 'yes' : 'no',
      score: null,
      latencyMs: 1 + (nth % 10),
      status: ofCandidate && candidateFails ? 'error' : 'ok',
      segments: {},
      producer: 'interlock-probe',
    }
  }
}
