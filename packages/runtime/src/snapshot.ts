import { canonicalJson, type Hash, type LogTime, type Processor, sha256, shardOf } from '@interlock/contracts'
import type { AppendRecord, EventLog } from './event-log.ts'
import type { Point } from './re-execute.ts'

/** Announces a whole snapshot; written after all its parts. Immutable, like them. */
export interface SnapshotHead {
  readonly v: 1
  readonly processor: string
  readonly shard: number
  /** Decimal offset of the entry behind which the state stands. */
  readonly seq: string
  readonly at: LogTime
  readonly time: LogTime
  readonly chain: Hash
  readonly positions: Readonly<Record<string, string>>
  /** Version of the processor that saved it; `load` migrates or refuses. */
  readonly version: number
  readonly build: string
  readonly parts: number
  /** SHA-256 of all parts: the entry's `stateHash`. */
  readonly hash: Hash
}

interface Found {
  head: SnapshotHead | null
  /** Offset in the snapshots topic by part. */
  readonly parts: Map<number, bigint>
  count: number
}

export const snapshotPartBytes = 512 * 1024
const newestKept = 3
const hourMs = 3_600_000
const hourlyKeptMs = 35 * 24 * hourMs

/** Snapshots of one shard on the compacted topic that all shards share. */
export class Snapshots {
  private readonly log: EventLog
  private readonly topic: string
  private readonly processor: string
  private readonly shard: number
  private readonly found = new Map<bigint, Found>()

  constructor(log: EventLog, topic: string, processor: string, shard: number) {
    this.log = log
    this.topic = topic
    this.processor = processor
    this.shard = shard
  }

  /** Reads what the topic holds: heads whose parts are all there, newest first. */
  async list(): Promise<readonly SnapshotHead[]> {
    const partition = await this.partition()
    const { begin, end } = await this.log.bounds(this.topic, partition)
    this.found.clear()
    for await (const { records } of this.log.read({ topic: this.topic, partition, from: begin, to: end })) {
      for (const { key, value, offset } of records) {
        const name = this.parseKey(key)
        if (!name) continue
        const found = this.at(name.seq)
        if (name.part === 'head') found.head = value ? parseHead(value) : null
        else if (value) found.parts.set(name.part, offset)
        else found.parts.delete(name.part)
        if (name.part !== 'head') found.count = name.of
      }
    }
    for (const [seq, { head, parts }] of this.found) if (!head && parts.size === 0) this.found.delete(seq)
    const whole = [...this.found.values()].filter(({ head, parts }) => head && parts.size === head.parts)
    return whole.map(({ head }) => head!).sort((a, b) => (BigInt(a.seq) < BigInt(b.seq) ? 1 : -1))
  }

  /** The state of a listed head, or null when its parts are gone by now or not what the head says. */
  async load<State>(head: SnapshotHead, processor: Processor<State>): Promise<Point<State> | null> {
    const parted = [...(this.found.get(BigInt(head.seq))?.parts.values() ?? [])]
    const offsets = parted.sort((a, b) => (a < b ? -1 : 1))
    const parts: Uint8Array[] = []
    if (offsets.length > 0) {
      const from = offsets[0]!
      const to = offsets.at(-1)! + 1n
      const partition = await this.partition()
      for await (const { records } of this.log.read({ topic: this.topic, partition, from, to })) {
        for (const { key, value } of records) {
          const name = this.parseKey(key)
          if (name && String(name.seq) === head.seq && name.part !== 'head' && value) parts[name.part] = value
        }
      }
    }
    const bytes = Buffer.concat(parts.filter((part) => part !== undefined))
    if (sha256(bytes) !== head.hash) return null
    const { at, time, chain } = head
    const positions = new Map(Object.entries(head.positions).map(([name, offset]) => [name, BigInt(offset)]))
    return { state: processor.load(bytes, head.version), seq: BigInt(head.seq), at, time, chain, positions }
  }

  /**
   * Writes all parts, then the head, then tombstones what is no longer kept. Whole or ignored: a torn one has no head.
   *
   * @returns false when the log did not say that everything landed
   */
  async save(
    point: Omit<Point<unknown>, 'state'>,
    bytes: Uint8Array,
    version: number,
    build: string,
  ): Promise<boolean> {
    const count = Math.ceil(bytes.length / snapshotPartBytes)
    const found = this.at(point.seq)
    found.count = count
    for (let part = 0; part < count; part++) {
      const value = bytes.subarray(part * snapshotPartBytes, (part + 1) * snapshotPartBytes)
      const offset = await this.put({ key: this.key(point.seq, `${part}/${count}`), value })
      if (offset === null) return false
      found.parts.set(part, offset)
    }
    const head: SnapshotHead = {
      v: 1,
      processor: this.processor,
      shard: this.shard,
      seq: String(point.seq),
      at: point.at,
      time: point.time,
      chain: point.chain,
      positions: Object.fromEntries([...point.positions].map(([name, offset]) => [name, String(offset)])),
      version,
      build,
      parts: count,
      hash: sha256(bytes),
    }
    if ((await this.put({ key: this.key(point.seq, 'head'), value: utf8(canonicalJson(head)) })) === null) return false
    found.head = head
    return this.prune()
  }

  private async prune(): Promise<boolean> {
    const heads = [...this.found.values()].flatMap(({ head }) => (head ? [head] : []))
    const kept = keptSnapshots(heads)
    const newest = heads.reduce((top, { seq }) => (BigInt(seq) > top ? BigInt(seq) : top), 0n)
    for (const [seq, { count }] of [...this.found]) {
      // What is newer than our newest may be another owner's, still being written.
      if (kept.has(String(seq)) || seq > newest) continue
      // The head goes first: half a removal is no snapshot.
      const names = ['head', ...Array.from({ length: count }, (_, part) => `${part}/${count}`)]
      const tombstones = names.map((name) => ({ key: this.key(seq, name), value: null }))
      if ((await this.log.appendMany(this.topic, await this.partition(), tombstones)) === 'unknown') return false
      this.found.delete(seq)
    }
    return true
  }

  private async put(record: AppendRecord): Promise<bigint | null> {
    const answer = await this.log.append(this.topic, await this.partition(), record)
    return answer === 'unknown' ? null : answer.offset
  }

  private async partition(): Promise<number> {
    return shardOf(`${this.processor}/${this.shard}`, await this.log.partitions(this.topic))
  }

  private at(seq: bigint): Found {
    const found = this.found.get(seq) ?? { head: null, parts: new Map(), count: 0 }
    this.found.set(seq, found)
    return found
  }

  private key(seq: bigint, part: string): Uint8Array {
    return utf8(`${this.processor}/${this.shard}/${seq}/${part}`)
  }

  private parseKey(key: Uint8Array | null): { seq: bigint; part: number | 'head'; of: number } | null {
    const [processor, shard, seq, part, of] = key ? Buffer.from(key).toString('utf8').split('/') : []
    if (processor !== this.processor || shard !== String(this.shard) || !seq || !/^\d+$/.test(seq)) return null
    return { seq: BigInt(seq), part: part === 'head' ? 'head' : Number(part), of: Number(of ?? 0) }
  }
}

/** The newest three, and the first of each hour for 35 days: seqs of those that stay. */
export function keptSnapshots(heads: readonly SnapshotHead[]): ReadonlySet<string> {
  const byAge = [...heads].sort((a, b) => (BigInt(a.seq) < BigInt(b.seq) ? -1 : 1))
  const newestAt = byAge.at(-1)?.at ?? 0
  const kept = new Set(byAge.slice(-newestKept).map(({ seq }) => seq))
  const hours = new Set<number>()
  for (const { seq, at } of byAge) {
    const hour = Math.floor(at / hourMs)
    if (at > newestAt - hourlyKeptMs && !hours.has(hour)) kept.add(seq)
    hours.add(hour)
  }
  return kept
}

function parseHead(value: Uint8Array): SnapshotHead | null {
  const head = JSON.parse(Buffer.from(value).toString('utf8')) as SnapshotHead
  // Another layout is another build's: it is not whole for us, and an older one only means a longer replay.
  return head.v === 1 ? head : null
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8')
