import type { InputSource, Processor } from '@interlock/contracts'
import { pino } from 'pino'
import { runShard } from './shard.ts'
import type { ShardOptions } from './shard-options.ts'
import { type ValidEntry, validEntries } from './shard-reader.ts'
import { SimulatedLog } from './simulated-log.ts'
import { type SimulatedProcess, Simulation } from './simulation.ts'

/** A simulated log with the topics of one toy shard, for tests. */
export class World {
  readonly simulation = new Simulation()
  readonly servers = new SimulatedLog(this.simulation)
  readonly observer: SimulatedProcess = this.simulation.process('observer')
  readonly log = this.servers.handle(this.observer)
  private owners = 0

  constructor(...topics: readonly string[]) {
    for (const topic of ['in', 'log.toy', ...topics]) this.servers.create(topic, { partitions: 1 })
    for (const topic of ['snapshots', 'commands']) this.servers.create(topic, { partitions: 1, compacted: true })
    for (const topic of ['alerts', 'audit', 'evidence', 'dlq']) this.servers.create(topic, { partitions: 1 })
  }

  put(...values: readonly string[]): void {
    for (const value of values) this.servers.land('in', 0, [{ value: Buffer.from(value) }])
  }

  /** Runs for so long in virtual time. */
  pass(ms: number): Promise<void> {
    return this.simulation.run(this.observer.clock.sleep(ms), ms + 1)
  }

  done<T>(work: Promise<T>): Promise<T> {
    return this.simulation.run(work, 600_000)
  }

  options<State>(processor: Processor<State>, given: Partial<ShardOptions<State>> = {}): ShardOptions<State> {
    const process = this.simulation.process(`owner ${this.owners}`)
    const inputs: readonly InputSource[] = [{ kind: 'topic', topic: 'in', partition: 0 }]
    return {
      log: this.servers.handle(process),
      clock: process.clock,
      processor,
      shard: 0,
      inputs,
      build: 'test',
      newOwner: () => `owner-${this.owners++}`,
      logger: pino({ level: 'silent' }),
      ...given,
    }
  }

  /** Owns the shard and steps it for so long, then stops in order. */
  async own<State>(processor: Processor<State>, ms: number, given: Partial<ShardOptions<State>> = {}): Promise<void> {
    const stop = new AbortController()
    const running = runShard(this.options(processor, given), stop.signal)
    this.simulation.after(ms, () => stop.abort())
    await this.done(running)
  }

  async entries(topic = 'log.toy'): Promise<readonly ValidEntry[]> {
    const { end } = this.servers.partition(topic, 0)
    return this.done(collected(validEntries(this.log, { topic, partition: 0 }, -1n, end)))
  }
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
