import { contentTypes, type DeploymentId, type Prediction } from '@interlock/contracts'
import type { Simulation } from '@interlock/runtime'
import { type Health, healthy, type Pace, row } from './cast.ts'
import type { ServingPlatform } from './platform.ts'
import { Chance } from './streams.ts'

/** How a version answers from a moment on. */
export interface Ailment {
  readonly from: number
  readonly health: Health
}

/** Where messages go: the events' topic. */
export type Produce = (partition: number, value: Uint8Array, headers: Readonly<Record<string, string>>) => void

/**
 * The production service of one deployment: asks its platform who answers, and sends a message of a few rows about each second.
 * What it sent is remembered by the bytes, so that the oracle need not trust a decoder.
 */
export class Traffic {
  readonly deployment: DeploymentId
  /** By version; a version without one is healthy. */
  readonly ailments = new Map<string, Ailment>()
  /** No rows while it is set. */
  isSilent = false
  /** Event times are so far behind. */
  delayMs = 0
  rowsSent = 0
  private readonly pace: Pace
  private readonly simulation: Simulation
  private readonly platform: ServingPlatform
  private readonly chance: Chance
  private readonly produce: Produce
  private readonly partitions: number
  private readonly sent: WeakMap<Uint8Array, readonly Prediction[]>
  private isStopped = false

  constructor(
    seed: number,
    pace: Pace,
    simulation: Simulation,
    platform: ServingPlatform,
    partitions: number,
    produce: Produce,
    sent: WeakMap<Uint8Array, readonly Prediction[]>,
  ) {
    this.deployment = platform.deployment
    this.pace = pace
    this.simulation = simulation
    this.platform = platform
    this.partitions = partitions
    this.produce = produce
    this.sent = sent
    this.chance = new Chance(seed, `traffic of ${platform.deployment}`)
  }

  stop(): void {
    this.isStopped = true
  }

  /** Sends the rows of the last moments. */
  next(): void {
    if (this.isStopped) return
    const rows = this.rows()
    if (!this.isSilent) this.send(rows)
  }

  send(rows: readonly Prediction[], headers: Readonly<Record<string, string>> = {}): void {
    if (rows.length === 0) return
    const value = Buffer.from(JSON.stringify({ records: rows }), 'utf8')
    this.sent.set(value, rows)
    this.rowsSent += rows.length
    this.produce(this.chance.below(this.partitions), value, { 'content-type': contentTypes.json, ...headers })
  }

  private rows(): readonly Prediction[] {
    const { state, serving } = this.platform
    const rows: Prediction[] = []
    const count = 15 + this.chance.below(12)
    for (let index = 0; index < count; index++) {
      const goesToCandidate = serving.candidate !== null && this.chance.is(state.share)
      if (state.fallback) {
        rows.push({ ...this.row('stable', serving.stable), version: 'fallback', status: 'fallback', prediction: null })
        continue
      }
      if (goesToCandidate && serving.candidate !== null) rows.push(this.row('candidate', serving.candidate))
      else rows.push(this.row('stable', serving.stable))
      if (state.shadow && serving.candidate !== null) rows.push(this.row('shadow', serving.candidate))
    }
    return rows
  }

  private row(variant: Prediction['variant'], version: Prediction['version']): Prediction {
    const ailment = this.ailments.get(version)
    const health = ailment !== undefined && this.simulation.now >= ailment.from ? ailment.health : healthy
    const { deployment } = this
    return row(this.chance, health, {
      id: `${deployment}-${this.rowsSent}`,
      deployment,
      generation: this.platform.state.generation,
      version,
      variant,
      eventTimeMs: Math.floor(this.simulation.now - this.delayMs - this.chance.between(0, this.pace.factor * 1_800)),
    })
  }
}
