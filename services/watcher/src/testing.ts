import type { Heartbeat, ProbeProgress, ShardProgress } from '@interlock/contracts'
import { type WatchRules, waitForPeerMs, watchTimes } from './rules.ts'
import { emptyWatch, type Page, type WatchState } from './state.ts'
import { arrived, pagedUnits, watch } from './watch.ts'

/** Two watchers over one embedded Interlock with a probe. For the tests of this package. */
export function rulesOf(self: 'watcher-a' | 'watcher-b', change: Partial<WatchRules> = {}): WatchRules {
  const peer = self === 'watcher-a' ? 'watcher-b' : 'watcher-a'
  return {
    environment: 'production',
    self,
    components: ['up', peer],
    peer,
    waitForPeerMs: self === 'watcher-a' ? 0 : waitForPeerMs,
    shards: { profiler: 1, evaluator: 1, governor: 1, fleet: 1 },
    probe: true,
    times: watchTimes,
    ...change,
  }
}

/** A process that beats. */
export class Beating {
  readonly by: string
  instance = 'first'
  #beat = 0
  seq = 0
  verified = 0
  overdueMs = 0

  constructor(by: string) {
    this.by = by
  }

  restart(): void {
    this.instance = `${this.instance}'`
    this.#beat = 0
    this.verified = 0
    this.overdueMs = 0
  }

  beat(at: number, change: Partial<Heartbeat> = {}): Heartbeat {
    return {
      v: 1,
      environment: 'production',
      by: this.by,
      instance: this.instance,
      beat: ++this.#beat,
      at,
      leaving: false,
      process: { rssBytes: 1, heapBytes: 1, heapLimitBytes: 2, loopDelayMs: 0 },
      shards: [],
      probe: null,
      paged: null,
      ...change,
    }
  }

  /** As `up` beats: all shards and the probe. */
  whole(at: number, change: Partial<Heartbeat> = {}): Heartbeat {
    return this.beat(at, { shards: shardsAt(this.seq), probe: this.probe(), ...change })
  }

  probe(): ProbeProgress {
    const { verified, overdueMs } = this
    return { rounds: verified, verified, verifiedAt: null, tookMs: null, overdueMs, waitsFor: 'the rollback' }
  }
}

export function shardsAt(seq: number, owned = true): readonly ShardProgress[] {
  return ['evaluator', 'fleet', 'governor', 'profiler'].map((processor) => ({
    processor,
    shard: 0,
    owned,
    seq,
    time: 0,
    ageMs: 0,
    behind: 0,
    voids: 0,
  }))
}

/** A watcher whose messages arrive at once, unless told otherwise. */
export class Watching {
  readonly rules: WatchRules
  readonly pages: Page[] = []
  state: WatchState
  pagerWorks = true

  constructor(rules: WatchRules, now = 0) {
    this.rules = rules
    this.state = emptyWatch(now)
  }

  look(now: number, heard: readonly Heartbeat[]): readonly Page[] {
    this.state = watch(this.rules, this.state, heard, now)
    if (!this.pagerWorks) return []
    const fresh = this.state.outbox
    for (const page of fresh) this.state = arrived(this.state, page.id)
    this.pages.push(...fresh)
    return fresh
  }

  paged(): readonly string[] {
    return pagedUnits(this.state)
  }

  kinds(): readonly string[] {
    return this.pages.map(({ kind }) => kind)
  }
}
