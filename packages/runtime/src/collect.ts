import { decodeOut, type Input, type InputSource, type LogRecord, type Range } from '@interlock/contracts'
import { type EventLog, payloadBytes } from './event-log.ts'
import type { Gate } from './gate.ts'
import { firstKnownValid, validEntries } from './shard-reader.ts'

/** Bounds of what one step takes, for each input by itself: a flood in one input never starves another. */
export interface CollectLimits {
  readonly maxRecords: number
  readonly maxBytes: number
}

/** What can be taken as a whole only: a record, or a valid entry with all its outs. */
interface Unit {
  /** Offset right behind it. */
  readonly next: bigint
  readonly inputs: readonly Input[]
  readonly bytes: number
}

/** A step takes thousands of these, and asks where the last one ends. */
class RecordUnit implements Unit {
  readonly inputs: readonly [{ readonly kind: 'record'; readonly record: LogRecord }]
  readonly bytes: number

  constructor(record: LogRecord) {
    this.inputs = [{ kind: 'record', record }]
    this.bytes = payloadBytes(record)
  }

  get next(): bigint {
    return this.inputs[0].record.offset + 1n
  }
}

/** What one input offers to the next step. */
export interface Offer {
  readonly source: InputSource
  readonly from: bigint
  readonly to: bigint
  readonly units: readonly Unit[]
  /** Nothing valid was left behind `to` when the input was looked at. */
  readonly drained: boolean
  /** End of the input when it was looked at: where to wait for more. */
  readonly seen: bigint
  /** A gate holds back what lies behind `to`: more of the same input helps nobody. */
  readonly held?: boolean
}

/**
 * Looks at one input from its position on and takes at most the limits (but always one unit where there is one).
 *
 * @param before what it offered from the same position a moment ago: only what lies behind that is read
 * @param end where the input was just seen to end; asked for where it is not given
 */
export async function collect(
  log: EventLog,
  source: InputSource,
  from: bigint,
  limits: CollectLimits,
  before: Offer = { source, from, to: from, units: [], drained: true, seen: from },
  end?: bigint,
): Promise<Offer> {
  if (!before.drained) return before
  const known: bigint = before.to
  const seen: bigint = end ?? (await log.wait(source.topic, source.partition, known, 0))
  const units = [...before.units]
  let bytes = units.reduce((sum, unit) => sum + unit.bytes, 0)
  for await (const some of unitsOf(log, source, known, seen)) {
    for (const unit of some) {
      if (units.length >= limits.maxRecords || (units.length > 0 && bytes + unit.bytes > limits.maxBytes)) {
        return { source, from, to: units.at(-1)!.next, units, drained: false, seen }
      }
      units.push(unit)
      bytes += unit.bytes
    }
  }
  // A range over a shard log ends right behind a valid entry, so that `from − 1` is valid for the next one; a foreign
  // topic may end with offsets that hold no record (compaction, transaction markers), and those are taken too.
  const to = source.kind === 'log' ? (units.at(-1)?.next ?? from) : seen > known ? seen : known
  return { source, from, to, units, drained: true, seen }
}

/** The same batch as an entry's range names it. @throws RangeGone */
export async function collectAgain(log: EventLog, kind: InputSource['kind'], range: Range): Promise<Input[]> {
  const inputs: Input[] = []
  let next = range.from
  for await (const some of unitsOf(log, { kind, ...range }, range.from, range.to)) {
    for (const unit of some) inputs.push(...unit.inputs)
    next = some.at(-1)!.next
  }
  if (kind === 'log' && next !== range.to) {
    throw new Error(
      `${range.topic}/${range.partition}: range ${range.from} to ${range.to} does not end behind a valid entry`,
    )
  }
  return inputs
}

/** What the gate lets through of each input: records up to the first that has to wait. */
export function admitted(offers: readonly Offer[], gate: Gate): readonly Offer[] {
  const takenTo = (topic: string, partition: number) =>
    offers.find(({ source }) => source.topic === topic && source.partition === partition)?.to
  return offers.map((offer) => {
    if (offer.source.kind === 'log') return offer
    const waits = offer.units.findIndex(({ inputs }) =>
      inputs.some((input) => input.kind === 'record' && !gate.admits(input.record, takenTo)),
    )
    return waits < 0 ? offer : { ...cut(offer, waits), held: true }
  })
}

/** The smaller half of a batch whose outs do not fit into one entry; null when a single unit makes too many. */
export function halve(offers: readonly Offer[]): readonly Offer[] | null {
  const largest = Math.max(...offers.map((offer) => offer.units.length))
  if (largest > 1) return offers.map((offer) => cut(offer, Math.ceil(offer.units.length / 2)))
  const only = offers.findIndex((offer) => offer.units.length > 0)
  if (offers.filter((offer) => offer.units.length > 0).length < 2) return null
  return offers.map((offer, index) => (index === only ? offer : cut(offer, 0)))
}

/** Takes nothing, yet names every input: what a tick says. */
export function nothing(sources: readonly InputSource[], position: (source: InputSource) => bigint): readonly Offer[] {
  return sources.map((source) => {
    const from = position(source)
    return { source, from, to: from, units: [], drained: false, seen: from }
  })
}

/** Where an input is taken from at first: what the log still holds. @throws when a shard log does not tell yet */
export async function startOf(log: EventLog, source: InputSource): Promise<bigint> {
  if (source.kind === 'topic') return (await log.bounds(source.topic, source.partition)).begin
  const valid = await firstKnownValid(log, source)
  if (valid === null) {
    throw new Error(`${source.topic}/${source.partition}: its head has expired and no entry names a valid one yet`)
  }
  return valid + 1n
}

function cut(offer: Offer, count: number): Offer {
  if (count === offer.units.length) return offer
  const units = offer.units.slice(0, count)
  return { ...offer, units, to: units.at(-1)?.next ?? offer.from, drained: false }
}

async function* unitsOf(log: EventLog, source: InputSource, from: bigint, to: bigint): AsyncGenerator<readonly Unit[]> {
  if (to <= from) return
  const { topic, partition } = source
  if (source.kind === 'topic') {
    for await (const batch of log.read({ topic, partition, from, to })) {
      yield batch.records.map((record) => new RecordUnit(record))
    }
    return
  }
  const processor = topic.replace(/^(.*\.)?log\./, '')
  for await (const { offset, at, entry, bytes } of validEntries(log, source, from - 1n, to)) {
    const inputs = entry.outs.map((out): Input => {
      return { kind: 'out', processor, shard: partition, offset, at, out: decodeOut(out) }
    })
    yield [{ next: offset + 1n, inputs, bytes: bytes.length }]
  }
}
