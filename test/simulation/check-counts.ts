import {
  type CountsOut,
  type LogRecord,
  layoutOf,
  type Prediction,
  type ProgressOut,
  type WatchOut,
} from '@interlock/contracts'
import { environment, spec } from './cast.ts'
import { addSlices, recount } from './recount.ts'
import type { Landed, Seen } from './runs.ts'
import type { Accuse } from './violation.ts'

/** Header of a record that is no lawful message: how many rows must die of what, `<reason>=<rows>`. */
export const expectHeader = 'expect'

interface Known {
  readonly generation: number
  readonly versions: Set<string>
}

/** What a profiler shard knows by the watches that it has taken. */
type Knowledge = Map<string, Known[]>

const earliestMs = 100_000_000_000
const skewMs = 60_000
const keptGenerations = 3
const { width } = layoutOf(spec)

/**
 * S4 and S6 for the profiler: for each valid entry the counts and dead letters are those of a plain recount of the very records
 * that it took, slice by slice and place by place, and its account balances.
 */
export class CountChecks {
  private readonly landed: Landed
  private readonly accuse: Accuse
  private readonly paneMs: number
  private readonly sent: WeakMap<Uint8Array, readonly Prediction[]>
  private readonly shards = new Map<number, Knowledge>()
  private readonly watermarks = new Map<number, number>()
  rows = 0
  dead = 0

  constructor(landed: Landed, sent: WeakMap<Uint8Array, readonly Prediction[]>, paneMs: number, accuse: Accuse) {
    this.paneMs = paneMs
    this.landed = landed
    this.sent = sent
    this.accuse = accuse
  }

  take(seen: Seen): unknown {
    const name = `profiler/${seen.shard}`
    const say = (invariant: string, text: string) => this.accuse(invariant, name, `entry ${seen.offset}: ${text}`)
    const knowledge = this.shards.get(seen.shard) ?? new Map()
    this.shards.set(seen.shard, knowledge)
    const expected = new Map<string, Prediction[]>()
    const dead = new Map<string, number>()
    let taken = 0
    for (const each of this.landed.taken(seen)) {
      if ('outs' in each) {
        for (const out of each.outs) if (out.kind === 'watch') learn(knowledge, out)
        continue
      }
      for (const [place, rows] of this.placed(each, knowledge, dead)) {
        taken += rows.length
        expected.set(place, [...(expected.get(place) ?? []), ...rows])
      }
    }
    for (const count of dead.values()) taken += count

    const counted = new Map<string, CountsOut[]>()
    let progress: ProgressOut | undefined
    for (const out of seen.outs) {
      if (out.kind === 'progress') progress = out
      if (out.kind !== 'counts') continue
      const place = placeName(out.deployment, out.generation, out.version, out.variant, out.pane)
      counted.set(place, [...(counted.get(place) ?? []), out])
    }
    if (progress === undefined) return say('S6', 'has no account')
    if (progress.taken !== taken) say('S6', `says ${progress.taken} rows were taken, and ${taken} were there`)
    const deadSaid = sorted(Object.entries(progress.dead).filter(([, rows]) => rows > 0))
    if (deadSaid !== sorted([...dead])) say('S6', `says dead ${deadSaid}, and they are ${sorted([...dead])}`)
    this.checkWatermark(seen, progress, say)
    for (const place of new Set([...expected.keys(), ...counted.keys()])) {
      const rows = expected.get(place) ?? []
      const outs = counted.get(place) ?? []
      const said = outs.reduce((sum, out) => sum + out.rows, 0)
      if (said !== rows.length) {
        say('S4', `counts ${said} rows of ${place}, and ${rows.length} were there`)
        continue
      }
      const sums = new Map<string, Float64Array>()
      for (const out of outs) addSlices(sums, width, out.slices)
      const wrong = firstDifference(recount(spec, rows), sums)
      if (wrong !== null) say('S4', `counts of ${place} differ from a recount: ${wrong}`)
    }
    this.rows += taken
    for (const count of dead.values()) this.dead += count
  }

  private checkWatermark(seen: Seen, { watermark, caughtUp }: ProgressOut, say: (s: string, t: string) => void): void {
    const before = this.watermarks.get(seen.shard) ?? 0
    this.watermarks.set(seen.shard, watermark)
    if (watermark < before) say('S4', `its watermark goes back from ${before} to ${watermark}`)
    if (watermark > seen.time) say('S4', `its watermark ${watermark} is ahead of its step's time ${seen.time}`)
    const due = Math.max(before, seen.time - 1_000)
    if (caughtUp && watermark !== due) say('S4', `its watermark is ${watermark}, and ${due} is due`)
    if (caughtUp !== seen.entry.caughtUp) say('S4', 'says otherwise than its entry whether it has caught up')
  }

  /** Rows of a record by the place where they must be counted; the others are added to `dead`. */
  private placed(record: LogRecord, knowledge: Knowledge, dead: Map<string, number>): Map<string, Prediction[]> {
    const places = new Map<string, Prediction[]>()
    const die = (reason: string, rows = 1) => dead.set(reason, (dead.get(reason) ?? 0) + rows)
    const expectation = record.headers[expectHeader]
    if (expectation !== undefined) {
      const [reason, rows] = expectation.split('=') as [string, string]
      die(reason, Number(rows))
      return places
    }
    const rows = record.value === null ? undefined : this.sent.get(record.value)
    if (rows === undefined) throw new Error(`the world does not know what it sent at ${record.topic} ${record.offset}`)
    for (const each of rows) {
      const known = knowledge.get(each.deployment)
      if (known === undefined) die('unregistered')
      else if (each.environment !== environment) die('wrong-environment')
      else if (!(each.eventTimeMs >= earliestMs)) die('bad-time')
      else if (each.eventTimeMs > record.at + skewMs) die('future')
      else {
        const generation = known.find((one) => one.generation === each.generation)
        if (generation === undefined) die('wrong-generation')
        else if (!generation.versions.has(each.version) && each.status !== 'fallback') die('unknown-version')
        else {
          const pane = Math.floor(each.eventTimeMs / this.paneMs) * this.paneMs
          const name = placeName(each.deployment, each.generation, each.version, each.variant, pane)
          places.set(name, [...(places.get(name) ?? []), each])
        }
      }
    }
    return places
  }
}

function learn(knowledge: Knowledge, out: WatchOut): void {
  const known = knowledge.get(out.deployment) ?? []
  const versions = [out.stable, ...(out.candidate === null ? [] : [out.candidate])]
  const same = known.find(({ generation }) => generation === out.generation)
  if (same !== undefined) for (const version of versions) same.versions.add(version)
  else known.push({ generation: out.generation, versions: new Set(versions) })
  const newest = Math.max(...known.map(({ generation }) => generation))
  knowledge.set(
    out.deployment,
    known.filter(({ generation }) => generation > newest - keptGenerations),
  )
}

function placeName(...parts: readonly (string | number)[]): string {
  return parts.join(' ')
}

function sorted(entries: readonly (readonly [string, number])[]): string {
  return JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function firstDifference(
  right: ReadonlyMap<string, Float64Array>,
  said: ReadonlyMap<string, Float64Array>,
): string | null {
  for (const slice of new Set([...right.keys(), ...said.keys()])) {
    const one = right.get(slice)
    const other = said.get(slice)
    if (one === undefined || other === undefined)
      return `slice ${slice} is ${one === undefined ? 'invented' : 'missing'}`
    const at = one.findIndex((count, index) => count !== other[index])
    if (at >= 0) return `slice ${slice}, place ${at}: ${other[at]} instead of ${one[at]}`
  }
  return null
}
