import {
  type Command,
  canonicalJson,
  compareOrders,
  decodeOut,
  type LogRecord,
  type Order,
  publicTopics,
  topics,
} from '@interlock/contracts'
import { hostileHeader } from './hostile.ts'
import type { Landed, Seen } from './runs.ts'
import type { Accuse } from './violation.ts'

interface Copied {
  /** Public outs of a shard for one topic, in order: `<offset>/<index>`. */
  readonly due: string[]
  readonly places: Map<string, number>
  /** How many of them are out. */
  published: number
}

/**
 * Public topics carry copies of valid outs and nothing else (outs shown before they are valid would show here), the first copies
 * in order and without a gap, a command's envelope says what the governor laid out; a command may be left out once a higher
 * order of its deployment is out.
 */
export class PublicChecks {
  private readonly landed: Landed
  private readonly accuse: Accuse
  private readonly copied = new Map<string, Copied>()
  private readonly highest = new Map<string, Order>()
  copies = 0
  /** Retention took the head of shard logs: gaps in what was published are lawful. */
  mayLeaveGaps = false

  constructor(landed: Landed, accuse: Accuse) {
    this.landed = landed
    this.accuse = accuse
  }

  /** Lays down what is due by a valid entry. */
  due(seen: Seen): void {
    for (const [index, out] of seen.entry.outs.entries()) {
      const topic = (publicTopics as Readonly<Record<string, string>>)[out.kind]
      if (topic === undefined) continue
      const copied = this.of(`${topic} log.${seen.processor}/${seen.shard}`)
      const place = `${seen.offset}/${index}`
      copied.places.set(place, copied.due.length)
      copied.due.push(place)
    }
  }

  take(record: LogRecord): unknown {
    const { topic, headers, value, key } = record
    if (headers[hostileHeader] !== undefined || value === null) return
    const say = (invariant: string, text: string): void =>
      this.accuse(invariant, topic, `${topic}/${record.partition} offset ${record.offset}: ${text}`)
    const [, log, shard, offset, index] = /^(.+)\/(\d+)\/(\d+)\/(\d+)$/.exec(headers.source ?? '') ?? []
    if (log === undefined) return say('S1', 'names no source')
    const seen = this.landed.run(log.slice(4), Number(shard)).at(BigInt(offset!))
    const out = seen?.entry.outs[Number(index)]
    if (seen === undefined || out === undefined) return say('S1', `is a copy of ${headers.source}, which is not valid`)
    if (Buffer.from(key ?? []).toString() !== out.key) say('S1', `has the key of another`)
    const copied = this.of(`${topic} ${log}/${shard}`)
    const place = copied.places.get(`${offset}/${index}`)
    if (place === undefined) return say('S1', `is a copy of an out of kind ${out.kind}`)
    this.copies += 1
    if (topic === topics.commands) {
      const decoded = decodeOut(out)
      if (decoded.kind !== 'command') return
      const { payload } = JSON.parse(Buffer.from(value).toString('utf8')) as { payload: string }
      if (Buffer.from(payload, 'base64').toString('utf8') !== canonicalJson(decoded.command)) {
        say('S2', 'says something else than the governor laid out')
      }
      this.raise(decoded.command)
    } else if (out.kind === 'checkpoint') {
      const decoded = decodeOut(out)
      const note = Buffer.from(value).toString('utf8')
      const root = decoded.kind === 'checkpoint' ? Buffer.from(decoded.root, 'hex').toString('base64') : ''
      if (!note.includes(root)) say('S8', 'is a note of another root than the fleet put out')
    } else if (Buffer.compare(value, out.value) !== 0) say('S1', 'has other bytes than its source')
    if (place > copied.published && !this.mayLeaveGaps) {
      for (const skipped of copied.due.slice(copied.published, place)) {
        if (topic === topics.commands && this.isOutranked(log.slice(4), Number(shard), skipped)) continue
        say('S1', `comes before ${skipped}, which is still due`)
      }
    }
    copied.published = Math.max(copied.published, place + 1)
  }

  /** How many outs wait for their publication. */
  get unpublished(): number {
    return [...this.copied.values()].reduce((sum, { due, published }) => sum + due.length - published, 0)
  }

  /** What is still not published, when all is quiet. */
  missing(): readonly string[] {
    return [...this.copied].flatMap(([name, { due, published }]) => {
      const [topic, log] = name.split(' ') as [string, string]
      const [processor, shard] = log.slice(4).split('/') as [string, string]
      return due
        .slice(published)
        .filter((place) => topic !== topics.commands || !this.isOutranked(processor, Number(shard), place))
        .map((place) => `${name}/${place}`)
    })
  }

  /** Highest order that is out, by deployment. */
  highestOf(deployment: string): Order | undefined {
    return this.highest.get(deployment)
  }

  private isOutranked(processor: string, shard: number, place: string): boolean {
    const [offset, index] = place.split('/') as [string, string]
    const out = this.landed.run(processor, shard).at(BigInt(offset))?.entry.outs[Number(index)]
    const decoded = out === undefined ? undefined : decodeOut(out)
    if (decoded?.kind !== 'command') return false
    const highest = this.highest.get(decoded.command.deployment)
    return highest !== undefined && compareOrders(highest, decoded.command.order) > 0
  }

  private raise({ deployment, order }: Command): void {
    const before = this.highest.get(deployment)
    if (before === undefined || compareOrders(order, before) > 0) this.highest.set(deployment, order)
  }

  private of(name: string): Copied {
    const known = this.copied.get(name) ?? { due: [], places: new Map(), published: 0 }
    this.copied.set(name, known)
    return known
  }
}
