import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AgentId,
  type Command,
  type DeploymentId,
  type Desired,
  type Fact,
  type Order,
  sha256,
  signCommand,
  verifyFact,
} from '@interlock/contracts'
import { seededRandom } from '@interlock/runtime'
import type { Answer, Channel, Started } from './channel.ts'
import type { KitKey, KitKeys } from './kit-keys.ts'
import type { PlatformState, StandInPlatform } from './platform.ts'

/** The artifacts that the stand-in platform holds. */
export const v1 = sha256('conformance kit: artifact 1')
export const v2 = sha256('conformance kit: artifact 2')
export const artifacts = [v1, v2]

/** Nobody but the first artifact answers. */
export const alone: Desired = {
  target: v1,
  candidate: null,
  shareMax: 0,
  shadow: false,
  pace: 'at-once',
  fallback: false,
}
export function canary(share: number): Desired {
  return { ...alone, candidate: v2, shareMax: share }
}

/** A check that did not hold; its message is what the report shows. */
export class NotConform extends Error {
  override readonly name = 'NotConform'
}

export interface WorldOptions {
  readonly environment: string
  readonly agent: string
  readonly deployment: string
  readonly seed: number
  /** How long the kit waits for what must come. */
  readonly patienceMs: number
}

/** The agent under test with everything around it: its platform, its keys, its channel, and its process if we started it. */
export class World {
  readonly options: WorldOptions
  readonly platform: StandInPlatform
  readonly keys: KitKeys
  readonly channel: Channel
  readonly process: Started | undefined
  readonly random: () => number
  /** Every fact of this run, and what was wrong with those that are not as they should be. */
  readonly facts: Fact[] = []
  readonly badFacts: string[] = []
  /** Every envelope that was ever sent as a lawful command. */
  readonly sent: Uint8Array[] = []
  /** Key that signs commands now. */
  governor: KitKey
  #generation = 0

  constructor(
    options: WorldOptions,
    parts: { platform: StandInPlatform; keys: KitKeys; channel: Channel; process?: Started },
  ) {
    this.options = options
    this.platform = parts.platform
    this.keys = parts.keys
    this.channel = parts.channel
    this.process = parts.process
    this.random = seededRandom(options.seed)
    this.governor = parts.keys.governor
  }

  /** Waits for the agent to answer and to say what it keeps, so that the run's commands are above it. */
  async meet(): Promise<void> {
    await this.until(
      'the agent answers',
      () => {
        if (this.process?.ended()) throw new NotConform('the command that starts the agent has ended')
        return this.channel.answers()
      },
      30_000,
    )
    await this.until('the agent reports an "observed" fact', async () => {
      await this.hear()
      return this.facts.some(({ kind }) => kind === 'observed')
    })
    const orders = this.facts.flatMap((fact) => ('order' in fact && fact.order !== null ? [fact.order[0]] : []))
    this.#generation = Math.max(this.platform.state.generation, ...orders) + 1
    // An agent that ran before us reads its keyset again within a minute.
    await this.until(
      'the agent takes a command of the kit’s governor; was it given the kit’s keyset?',
      async () => (await this.channel.send(this.sign(this.command(this.order(0, 1), alone)))).outcome !== 'refused',
      60_000,
    )
    await this.hear()
    this.facts.length = 0
    this.badFacts.length = 0
  }

  /**
   * A fresh generation with nobody but the first artifact, carried out: where each case begins. The order of the case's
   * commands is `order(severity, revision)` with revisions from 2 up.
   */
  async begin(): Promise<void> {
    this.platform.behave()
    this.#generation += 2
    await this.send(this.command(this.order(0, 1), alone))
    await this.reaches(alone)
  }

  order(severity: number, revision: number, epoch = 0): Order {
    return [this.#generation, epoch, severity, revision]
  }

  command(order: Order, desired: Desired, more: Partial<Command> = {}): Command {
    const { environment, agent, deployment } = this.options
    return {
      v: 1,
      environment,
      audience: agent as AgentId,
      deployment: deployment as DeploymentId,
      issuedAt: Date.now(),
      order,
      desired,
      grant: null,
      because: sha256('conformance kit: decision'),
      policy: sha256('conformance kit: policy'),
      ...more,
    }
  }

  sign(command: Command, key: KitKey = this.governor): Uint8Array {
    return signCommand(command, key.signer)
  }

  /** Sends a lawful command; it must not be refused. */
  async send(command: Command, wanted?: 'kept' | 'ignored'): Promise<Answer> {
    const signed = this.sign(command)
    this.sent.push(signed)
    const answer = await this.channel.send(signed)
    if (answer.outcome === 'refused')
      throw new NotConform(`a lawful command of order ${command.order.join('.')} was refused: ${answer.detail}`)
    if (wanted !== undefined && answer.outcome !== 'unheard' && answer.outcome !== wanted)
      throw new NotConform(
        `the command of order ${command.order.join('.')} was ${answer.outcome}, and must be ${wanted}: ${answer.detail}`,
      )
    return answer
  }

  /** Sends bytes that are no command for this agent: they must not be taken. */
  async throwAt(bytes: Uint8Array, what: string): Promise<void> {
    const { outcome, detail } = await this.channel.send(bytes)
    if (outcome === 'kept' || outcome === 'ignored') throw new NotConform(`${what} was ${outcome}: ${detail}`)
  }

  /** Does the platform do what is desired, in this case's generation? */
  does(desired: Desired): boolean {
    const state = this.platform.state
    return (
      state.generation === this.#generation &&
      state.stable === desired.target &&
      state.candidate === desired.candidate &&
      Math.abs(state.share - desired.shareMax) < 1e-5 &&
      state.shadow === desired.shadow &&
      state.fallback === desired.fallback
    )
  }

  async reaches(desired: Desired): Promise<void> {
    await this.until(
      () => `the platform does ${inWords(this.wished(desired))}; it does ${inWords(this.platform.state)}`,
      () => this.does(desired),
    )
  }

  wished({ target, candidate, shareMax, shadow, fallback }: Desired): PlatformState {
    return { generation: this.#generation, stable: target, candidate, share: shareMax, shadow, fallback }
  }

  /** Gives the agent two whole turns, then checks that nothing was tried on the platform since `before` changes. */
  async nothingHappens(before: number, what: string): Promise<void> {
    await this.turns()
    const [change] = this.platform.changes.slice(before)
    if (change !== undefined)
      throw new NotConform(`${what} had an effect: the agent asked its platform for ${inWords(change.wish)}`)
  }

  /**
   * Waits until a whole turn of the agent has passed: three observations begin one after another, so the turn that began
   * first is over.
   */
  async turns(): Promise<void> {
    const before = this.platform.observations
    await this.until('the agent observes its platform again', () => this.platform.observations >= before + 3)
  }

  /** Waits for a fact that was heard after `from` facts. */
  async hears(what: string, from: number, matches: (fact: Fact) => boolean, withinMs?: number): Promise<void> {
    await this.until(
      `a fact comes: ${what}`,
      async () => {
        await this.hear()
        return this.facts.slice(from).some(matches)
      },
      withinMs,
    )
  }

  /** Takes in new facts and checks each: signed by the agent's key, about this deployment, in its name. */
  async hear(): Promise<void> {
    const { deployment, environment, agent } = this.options
    for (const bytes of await this.channel.newFacts()) {
      const verified = verifyFact(bytes, [this.keys.agent.entry])
      if (!verified.ok) {
        this.badFacts.push(`${verified.reason}: ${verified.detail}`)
        continue
      }
      const { value } = verified
      if (value.deployment !== deployment || value.environment !== environment || value.by !== agent) {
        this.badFacts.push(`a fact about ${value.environment}/${value.deployment} by ${value.by}`)
      }
      this.facts.push(value.fact)
    }
  }

  /** Ends the agent as a crash would, and starts it again. */
  async restart(between: () => void | Promise<void> = () => {}): Promise<void> {
    await this.process?.kill()
    await between()
    this.process?.start()
    await this.until('the agent answers again after a restart', () => this.channel.answers(), 30_000)
  }

  async until(
    what: string | (() => string),
    holds: () => boolean | Promise<boolean>,
    withinMs: number = this.options.patienceMs,
  ): Promise<void> {
    const deadline = performance.now() + withinMs
    for (let pauseMs = 5; ; pauseMs = Math.min(100, pauseMs * 1.5)) {
      let failure: unknown
      try {
        if (await holds()) return
      } catch (error) {
        if (error instanceof NotConform) throw error
        failure = error
      }
      if (performance.now() > deadline) {
        const text = typeof what === 'string' ? what : what()
        const because = failure instanceof Error ? ` (${failure.message})` : ''
        throw new NotConform(`after ${withinMs / 1_000} s it is still not so that ${text}${because}`)
      }
      await sleep(pauseMs)
    }
  }
}

/** A state in a few words. */
export function inWords({ generation, stable, candidate, share, shadow, fallback }: PlatformState): string {
  const name = (digest: string | null): string =>
    digest === v1 ? 'artifact 1' : digest === v2 ? 'artifact 2' : digest === null ? 'none' : String(digest).slice(0, 8)
  const rest = candidate === null ? '' : `, ${name(candidate)} with ${share}${shadow ? ' as shadow' : ''}`
  return `generation ${generation}: ${fallback ? 'the fallback' : name(stable)}${rest}`
}
