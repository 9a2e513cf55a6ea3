import { type CountsOut, canonicalJson, type EvidenceOut, type Hash, sha256, shardOf } from '@interlock/contracts'
import type { Pace } from './cast.ts'
import type { Landed, Seen } from './runs.ts'
import type { Accuse } from './violation.ts'

interface About {
  /** Rows by `<version> <variant>` of each pane, as far as they were taken. */
  readonly panes: Map<number, Map<string, number>>
  last: EvidenceOut | null
  totals: Map<string, number>
}

/**
 * S4, S5 and S11 for the evaluator, entry by entry: panes close in order and once, only when every profiler shard has passed them
 * (or was silent, and then incomplete); what a pane's evidence says of rows is the sum of the counts taken by then; a window has one
 * content for ever; what is incomplete says so.
 */
export class EvidenceChecks {
  private readonly landed: Landed
  private readonly accuse: Accuse
  private readonly profilerShards: number
  private readonly shards: number
  private readonly pace: Pace
  private readonly deployments = new Map<string, About>()
  private readonly profilers = new Map<string, { watermark: number; heardAt: number }>()
  private readonly windows = new Map<string, Hash>()
  private readonly echoes = new Map<string, Set<number>>()
  panes = 0
  incomplete = 0

  constructor(landed: Landed, profilerShards: number, shards: number, pace: Pace, accuse: Accuse) {
    this.pace = pace
    this.landed = landed
    this.shards = shards
    this.profilerShards = profilerShards
    this.accuse = accuse
  }

  take(seen: Seen): void {
    for (const { out } of this.landed.outsTaken(seen)) {
      // Every shard reads every profiler log; a deployment's counts are taken by its own.
      if (out.kind === 'counts' && shardOf(out.deployment, this.shards) === seen.shard) this.count(out)
      if (out.kind === 'progress') {
        const key = `${seen.shard} ${out.shard}`
        const before = this.profilers.get(key)?.watermark ?? -1
        this.profilers.set(key, { watermark: Math.max(before, out.watermark), heardAt: seen.time })
      }
      if (out.kind === 'echo') {
        const key = `${seen.shard} ${out.deployment} ${out.generation} ${out.spec}`
        this.echoes.set(key, (this.echoes.get(key) ?? new Set()).add(out.shard))
      }
    }
    for (const out of seen.outs) {
      if (out.kind === 'evidence') this.check(seen, out)
      if (out.kind === 'ready-to-count') {
        const echoed = this.echoes.get(`${seen.shard} ${out.deployment} ${out.generation} ${out.spec}`)
        if ((echoed?.size ?? 0) < this.profilerShards) {
          this.accuse(
            'S11',
            out.deployment,
            `is ready to count in generation ${out.generation}, and not all shards said so`,
          )
        }
      }
    }
  }

  private check(seen: Seen, out: EvidenceOut): void {
    const { deployment, generation, pane, coverage } = out
    const { paneMs, latenessMs, stallMs } = this.pace
    const say = (invariant: string, text: string): void =>
      this.accuse(
        invariant,
        deployment,
        `evidence of pane ${pane} (evaluator/${seen.shard} entry ${seen.offset}): ${text}`,
      )
    const about = this.about(deployment)
    this.panes += 1
    if (about.last !== null && pane !== about.last.pane + about.last.paneMs)
      say('S4', `follows pane ${about.last.pane}`)
    if (out.paneMs !== paneMs) say('S4', `is ${out.paneMs} ms long`)

    const shards = Array.from({ length: this.profilerShards }, (_, shard) =>
      this.profilers.get(`${seen.shard} ${shard}`),
    )
    const due = pane + paneMs + latenessMs
    const vouching = shards.filter((shard) => shard !== undefined && shard.watermark >= due).length
    if (coverage !== vouching / this.profilerShards) {
      say('S11', `coverage is ${coverage}, and ${vouching} of ${this.profilerShards} shards vouch for it`)
    }
    for (const shard of shards) {
      if (shard === undefined || shard.watermark >= due || coverage === 1) continue
      if (seen.time - shard.heardAt < stallMs) say('S11', `did not wait for a shard that spoke at ${shard.heardAt}`)
    }
    if (coverage < 1) {
      this.incomplete += 1
      const whole = out.guardrails.find(({ evidence }) => evidence.status !== 'incomplete')
      if (whole !== undefined) say('S11', `is incomplete, and ${whole.guardrail} says ${whole.evidence.status}`)
    }

    const expected = about.panes.get(pane) ?? new Map<string, number>()
    const said = new Map<string, number>()
    for (const { version, variant, rows } of out.summaries) if (rows > 0) said.set(`${version} ${variant}`, rows)
    if (text(expected) !== text(said)) say('S4', `has rows ${text(said)}, and ${text(expected)} were counted`)
    if (about.last === null || about.last.generation !== generation) about.totals = new Map()
    for (const [key, rows] of said) about.totals.set(key, (about.totals.get(key) ?? 0) + rows)
    const totals = new Map(
      out.totals.filter(({ rows }) => rows > 0).map((each) => [`${each.version} ${each.variant}`, each.rows]),
    )
    if (text(about.totals) !== text(totals))
      say('S4', `has totals ${text(totals)}, and panes sum to ${text(about.totals)}`)

    const { hash, ...content } = out
    if (sha256(canonicalJson(content)) !== hash) say('S5', 'is not what its hash names')
    for (const { guardrail, evidence } of out.guardrails) {
      const key = `${guardrail} ${evidence.window}`
      const content = sha256(canonicalJson(evidence))
      const before = this.windows.get(key)
      if (before !== undefined && before !== content)
        say('S5', `window ${evidence.window.slice(0, 12)} has a second content`)
      this.windows.set(key, content)
      if (evidence.dataTo !== pane + paneMs) say('S4', `${guardrail} says that data ends at ${evidence.dataTo}`)
    }
    about.last = out
    // What comes for a closed pane is late and enters nothing.
    for (const start of about.panes.keys()) if (start <= pane) about.panes.delete(start)
  }

  private count({ deployment, pane, version, variant, rows }: CountsOut): void {
    const about = this.about(deployment)
    if (about.last !== null && pane <= about.last.pane) return
    const of = about.panes.get(pane) ?? new Map<string, number>()
    about.panes.set(pane, of)
    of.set(`${version} ${variant}`, (of.get(`${version} ${variant}`) ?? 0) + rows)
  }

  private about(deployment: string): About {
    const known = this.deployments.get(deployment) ?? { panes: new Map(), last: null, totals: new Map() }
    this.deployments.set(deployment, known)
    return known
  }
}

function text(rows: ReadonlyMap<string, number>): string {
  return JSON.stringify([...rows].sort(([a], [b]) => (a < b ? -1 : 1)))
}
