import type { Entry, ShardProgress } from '@interlock/contracts'
import type { Clock } from './clock.ts'
import type { Point } from './re-execute.ts'

interface Watched {
  readonly processor: string
  readonly shard: number
  owned: boolean
  seq: bigint | null
  time: number | null
  /** Monotonic time at which the last entry was known to be valid. */
  movedAt: number | null
  voids: number
  caughtUp: boolean
  positions: ReadonlyMap<string, bigint>
}

/** How far the shards of this process are: what heartbeats say and the watchdog looks at. Told by `runHost`. */
export class Progress {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #shards = new Map<string, Watched>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** The shard is this process's to run. */
  assigned(processor: string, shard: number): void {
    this.#shards.set(key(processor, shard), {
      processor,
      shard,
      owned: false,
      seq: null,
      time: null,
      movedAt: null,
      voids: 0,
      caughtUp: false,
      positions: new Map(),
    })
  }

  /** An entry of it is known to be valid. */
  moved(processor: string, shard: number, point: Omit<Point<unknown>, 'state'>, entry: Entry): void {
    const watched = this.#shards.get(key(processor, shard))
    if (watched === undefined) return
    watched.owned = true
    // Nothing but entries lies in a shard log, so whatever stands between two valid ones is void.
    watched.voids += Number(point.seq - entry.prev - 1n)
    watched.seq = point.seq
    watched.time = point.time
    watched.movedAt = this.#clock.monotonic()
    watched.caughtUp = entry.caughtUp
    watched.positions = point.positions
  }

  /** Its run ended, for good or to be tried again: until the next valid entry nobody here makes entries. */
  left(processor: string, shard: number): void {
    const watched = this.#shards.get(key(processor, shard))
    if (watched !== undefined) watched.owned = false
  }

  /** It is another process's from now on. */
  released(processor: string, shard: number): void {
    this.#shards.delete(key(processor, shard))
  }

  /**
   * All shards of this process, by processor and number.
   *
   * @param behind  how far behind its inputs a shard that is not caught up is; null where that is not known
   */
  list(behind: (processor: string, shard: number) => number | null = () => null): readonly ShardProgress[] {
    const now = this.#clock.monotonic()
    return this.#sorted().map((each): ShardProgress => {
      const { processor, shard, owned, seq, time, movedAt, voids, caughtUp } = each
      return {
        processor,
        shard,
        owned,
        seq: seq === null ? null : Number(seq),
        time,
        ageMs: movedAt === null ? null : Math.round(now - movedAt),
        behind: caughtUp ? 0 : behind(processor, shard),
        voids,
      }
    })
  }

  /** Next offsets of the inputs, by "topic/partition", of the shards that are not caught up. */
  catchingUp(): readonly {
    readonly processor: string
    readonly shard: number
    readonly positions: ReadonlyMap<string, bigint>
  }[] {
    return this.#sorted().filter(({ owned, caughtUp }) => owned && !caughtUp)
  }

  #sorted(): readonly Watched[] {
    return [...this.#shards.values()].sort((a, b) =>
      a.processor === b.processor ? a.shard - b.shard : a.processor < b.processor ? -1 : 1,
    )
  }
}

function key(processor: string, shard: number): string {
  return `${processor}/${shard}`
}
