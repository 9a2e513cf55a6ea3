import { type InputSource, shardLog, topics } from '@interlock/contracts'
import { admitted, collect, nothing, type Offer, startOf } from './collect.ts'
import { withDeadlines } from './deadlines.ts'
import { type Appended, type EventLog, LogUnavailable } from './event-log.ts'
import { makeEntry } from './make-entry.ts'
import { beginning, type Difference, kindOf, type Point, reExecute, sourceName } from './re-execute.ts'
import { type ShardLimits, shardLimits } from './shard-limits.ts'
import { isTransient, Lost, type ShardOptions, ShardStopped } from './shard-options.ts'
import { type ShardLog, type ValidEntry, validEntries } from './shard-reader.ts'
import { Snapshots } from './snapshot.ts'

/**
 * The shard protocol (docs/architecture.md §1, docs/reliability.md "The shard protocol"). Owns the shard and steps it
 * until `signal` is aborted; then writes a last entry with a snapshot and returns.
 *
 * @throws what `isTransient` knows (own again after a while), or what stops the shard (say so and stop)
 */
export async function runShard<State>(given: ShardOptions<State>, signal: AbortSignal): Promise<void> {
  const options = { ...given, log: withDeadlines(given.log, given.clock) }
  const { log, clock, processor, shard, inputs, logger } = options
  const limits: ShardLimits = { ...shardLimits, ...given.limits }
  const where: ShardLog = { topic: (given.prefix ?? '') + shardLog(processor.name), partition: shard }
  const snapshots = new Snapshots(log, (given.prefix ?? '') + topics.snapshots, processor.name, shard)
  const owner = options.newOwner()

  let { point, tail } = await own(options, where, snapshots)
  for (const source of inputs) {
    if (source.kind !== kindOf(source.topic, given.prefix)) {
      throw new ShardStopped(
        `input ${source.topic}: topics "${given.prefix ?? ''}log.…" are shard logs, and no other topic is one`,
      )
    }
    if (point.positions.has(sourceName(source))) continue
    const start = await startOf(log, source)
    point = { ...point, positions: new Map(point.positions).set(sourceName(source), start) }
  }
  logger.info({ seq: String(point.seq), owner }, 'owns the shard')

  let snapshotAt = clock.monotonic() + limits.snapshotMs
  let sinceSnapshot = 0
  // The owner's first entry takes nothing: it brings time up to now before any data is judged.
  let offers = nothing(inputs, (source) => point.positions.get(sourceName(source))!)
  let caughtUp = false
  for (;;) {
    const last = signal.aborted
    sinceSnapshot += 1
    const withState = last || sinceSnapshot >= limits.snapshotEntries || clock.monotonic() >= snapshotAt
    const { made, bytes, entry, state } = makeEntry(options, point, owner, offers, caughtUp, withState)
    const landed = await commit(log, where, point.seq, tail, bytes)
    const appendedAt = clock.monotonic()
    tail = landed.tail
    point = { ...made, seq: landed.offset, at: landed.at }
    options.onValid?.(point, entry)
    if (state) {
      const whole = await snapshots.save(point, state, processor.version, options.build).catch((error: unknown) => {
        if (!isTransient(error)) throw error
        return false
      })
      if (!whole)
        logger.warn({ seq: String(point.seq) }, 'the log did not confirm a snapshot; the next one is tried in time')
      snapshotAt = clock.monotonic() + limits.snapshotMs
      sinceSnapshot = 0
    }
    if (last) return
    offers = await nextBatch(options, point, limits, appendedAt + limits.tickMs, signal)
    caughtUp = offers.every((offer) => offer.drained)
  }
}

/** Newest whole snapshot, then every valid entry behind it executed again and compared. */
async function own<State>(
  options: ShardOptions<State>,
  where: ShardLog,
  snapshots: Snapshots,
): Promise<{ readonly point: Point<State>; readonly tail: bigint }> {
  const { log, processor, shard } = options
  const { begin, end: tail } = await log.bounds(where.topic, where.partition)
  let point: Point<State> = beginning(processor, shard)
  for (const head of await snapshots.list()) {
    const loaded = BigInt(head.seq) < tail ? await snapshots.load(head, processor) : null
    if (loaded) point = loaded
    if (loaded) break
  }
  if (point.seq + 1n < begin) {
    const reach = point.seq < 0n ? 'there is no whole snapshot' : `the newest whole snapshot stands at ${point.seq}`
    throw new ShardStopped(
      `${sourceName(where)}: the log begins at ${begin} and ${reach}, so the state cannot be rebuilt.` +
        ' Restore the log or a snapshot, or reset the shard',
    )
  }
  for await (const valid of validEntries(log, where, point.seq, tail)) {
    const { next, differences } = await reExecute(log, processor, point, valid, options).catch((error: Error) => {
      if (error.name === 'RangeGone') throw new ShardStopped(`${sourceName(where)}: ${error.message}`, { cause: error })
      throw error
    })
    for (const difference of differences) judge(options, where, difference)
    point = next
  }
  return { point, tail }
}

/** Equal code must give equal bytes. Another build's outs stay what they were, and the difference is reported. */
function judge<State>(options: ShardOptions<State>, where: ShardLog, found: Difference): void {
  const text = `${sourceName(where)} entry ${found.offset}: re-execution gives other ${found.what}: ${found.detail}`
  if (found.build === options.build || found.what === 'chain' || options.mustReproduce) {
    throw new ShardStopped(
      `${text}. Written by build ${found.build}, this is ${options.build}. Do not delete the log: run` +
        ' `interlock replay --verify` and report what it prints',
    )
  }
  options.logger.warn({ offset: String(found.offset), build: found.build, what: found.what }, text)
}

/**
 * One append, and then what the log says about it. At `tail`, right behind all that was read, it is valid; otherwise
 * the gap tells: valid is the first entry that follows `prev`, and if it has our bytes it is ours, wherever it landed.
 */
async function commit(
  log: EventLog,
  where: ShardLog,
  prev: bigint,
  tail: bigint,
  bytes: Uint8Array,
): Promise<Appended & { readonly tail: bigint }> {
  for (let attempt = 1; attempt <= shardLimits.appendAttempts; attempt++) {
    const answer = await log.append(where.topic, where.partition, { value: bytes })
    if (answer !== 'unknown' && answer.offset === tail) return { ...answer, tail: answer.offset + 1n }
    const end = answer === 'unknown' ? (await log.bounds(where.topic, where.partition)).end : answer.offset + 1n
    const following: ValidEntry[] = []
    for await (const valid of validEntries(log, where, prev, end)) following.push(valid)
    const [first, second] = following
    if (first && !second && Buffer.compare(first.bytes, bytes) === 0)
      return { offset: first.offset, at: first.at, tail: end }
    if (first)
      throw new Lost(`${sourceName(where)}: entry ${first.offset} of owner ${first.entry.owner} follows ${prev}`)
    // Nothing follows prev yet. Trying again is safe: should the first one land late, it or its twin is void.
  }
  throw new LogUnavailable(`${sourceName(where)}: no word about an append in ${shardLimits.appendAttempts} attempts`)
}

/** Waits until there is something to take, or the tick is due; what carries no outs wakes nobody. */
async function nextBatch<State>(
  { log, clock, inputs, mayTake, gate }: ShardOptions<State>,
  point: Point<State>,
  limits: ShardLimits,
  tickAt: number,
  signal: AbortSignal,
): Promise<readonly Offer[]> {
  if (mayTake?.() === false) {
    await clock.sleep(Math.max(0, tickAt - clock.monotonic()), signal)
    return nothing(inputs, (source) => point.positions.get(sourceName(source))!)
  }
  let seen: readonly Offer[] = []
  const look = async (ends: readonly (bigint | undefined)[] = []) => {
    const from = (source: InputSource) => point.positions.get(sourceName(source))!
    seen = await Promise.all(
      inputs.map((source, index) => collect(log, source, from(source), limits, seen[index], ends[index])),
    )
    return gate ? admitted(seen, gate) : seen
  }
  let lingered = false
  for (let offers = await look(); ; ) {
    const some = offers.some((offer) => offer.units.some((unit) => unit.inputs.length > 0))
    const left = tickAt - clock.monotonic()
    // A backlog is taken at once, also one of entries that carry nothing: something may lie behind them.
    const isBacklog = offers.some(({ drained, held }) => !drained && !held)
    if (signal.aborted || left <= 0 || isBacklog || (some && lingered)) return offers
    if (some) {
      // What just woke us has company on its way: one entry for all of it.
      await clock.sleep(Math.min(limits.lingerMs, left), signal)
      lingered = true
      offers = await look()
      continue
    }
    // Not AbortSignal.any: Node keeps such a signal, and all that listens to it, until it is aborted.
    const woken = new AbortController()
    const stop = () => woken.abort('stopped')
    signal.addEventListener('abort', stop, { once: true })
    const either = woken.signal
    const grows = offers.map(({ source, seen, held }) =>
      held ? undefined : log.wait(source.topic, source.partition, seen, left, either),
    )
    const waits: Promise<unknown>[] = grows.filter((one) => one !== undefined)
    if (gate && waits.length < offers.length) waits.push(gate.change(either, left))
    await Promise.race(waits.length > 0 ? waits : [clock.sleep(left, either)]).finally(() => {
      signal.removeEventListener('abort', stop)
      woken.abort('woken')
    })
    await Promise.all(waits)
    offers = await look(await Promise.all(grows))
  }
}
