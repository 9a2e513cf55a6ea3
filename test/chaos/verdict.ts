import { processors, publicKeys, readDeployments } from '@interlock/cli'
import { publicTopics, sha256, shardLog } from '@interlock/contracts'
import { type EventLog, sourceHeader, verifyReplay } from '@interlock/runtime'
import { type Acts, actsOf } from './acts.ts'
import type { Cast } from './cast.ts'
import { compareEvidence } from './evidence-again.ts'
import { type Load, rowsIn } from './load.ts'
import { entriesByOwner } from './owners.ts'
import type { Fault } from './plan.ts'
import { countedAgain, countedInLog, differences, entriesOf, recordsOf, watchesOf } from './recount.ts'
import type { Stage } from './stage.ts'

export interface Ran {
  readonly stage: Stage
  readonly cast: Cast
  readonly load: Load
  readonly ended: Cast['left']
  readonly faults: readonly Fault[]
}

export interface Verdict {
  /** Whatever is not as it must be, a line each. */
  readonly problems: readonly string[]
  readonly figures: Figures
}

export interface Figures {
  readonly faults: Readonly<Record<string, number>>
  readonly rowsAcknowledged: number
  readonly rowsInLog: number
  readonly cells: number
  readonly deadLetters: number
  readonly panes: number
  readonly evidenceBytes: number
  readonly entries: number
  readonly voidEntries: number
  readonly owners: number
  readonly entriesReplayed: number
  readonly acts: Acts['figures']
  /** From the kill of an owner to the next valid entry of its shard, ms. */
  readonly failoverMs: readonly number[]
  readonly leaving: Cast['left']
  readonly endedByThemselves: number
}

/** Recounts everything from the raw events by the pure code alone, and compares it with what the logs say. */
export async function examine({ stage, cast, load, ended, faults }: Ran): Promise<Verdict> {
  const { log, topic } = stage
  const problems: string[] = []
  const raw = await rawRows(log, topic, load, problems)
  const watches = await watchesOf(log)
  const [inLog, again] = [await countedInLog(log, watches), await countedAgain(log, topic, watches)]
  problems.push(...shortened('counts', differences(inLog, again)))
  if (again.taken !== raw)
    problems.push(`${raw} rows are in the topic by the word of who sent them, ${again.taken} by the recount`)
  const evidence = await compareEvidence(log, again, watches)
  problems.push(...shortened('evidence', evidence.differences))
  if (evidence.late > 0) problems.push(`${evidence.late} rows came late, where nothing may`)
  const entries = await entriesByOwner(log)
  const acts = await actsOf(stage, problems)
  await publishedAll(log, Date.now() - publishedWithinMs, problems)
  const entriesReplayed = await replayed(stage, problems)
  for (const { name, code, ms } of ended) {
    if (code !== 0) problems.push(`${name} ended with ${code} after ${ms} ms on SIGTERM`)
  }
  const figures: Figures = {
    faults: tally(faults.map(({ kind }) => kind)),
    rowsAcknowledged: load.rows(),
    rowsInLog: raw,
    cells: again.cells.size,
    deadLetters: again.dead.length,
    panes: evidence.panes,
    evidenceBytes: evidence.bytes,
    entries: entries.valid,
    voidEntries: entries.void,
    owners: entries.owners,
    entriesReplayed,
    acts: acts.figures,
    failoverMs: entries.failovers(cast.killed),
    leaving: [...cast.left, ...ended],
    endedByThemselves: cast.endedByThemselves.length,
  }
  return { problems, figures }
}

/** Rows of all messages; and each acknowledged message lies where the broker said. */
async function rawRows(log: EventLog, topic: string, load: Load, problems: string[]): Promise<number> {
  const promised = new Map(load.acknowledged.map(({ partition, offset, hash }) => [`${partition}/${offset}`, hash]))
  const partitions = await log.partitions(topic)
  let rows = 0
  for (let partition = 0; partition < partitions; partition++) {
    for await (const { offset, value, headers } of recordsOf(log, topic, partition)) {
      rows += rowsIn(headers)
      const key = `${partition}/${offset}`
      const wanted = promised.get(key)
      if (wanted === undefined) continue
      promised.delete(key)
      if (value === null || sha256(value) !== wanted) problems.push(`events ${key} is not what was acknowledged`)
    }
  }
  if (promised.size > 0) problems.push(`${promised.size} acknowledged messages are not in the topic`)
  return rows
}

/** docs/reliability.md F5: what was decided is published so soon after a restart. */
const publishedWithinMs = 15_000

/** Every public out of every valid entry up to then is on its topic at least once, by its `source`. */
async function publishedAll(log: EventLog, upTo: number, problems: string[]): Promise<void> {
  for (const [kind, topic] of Object.entries(publicTopics)) {
    // A command that was outranked before it was published has no meaning any more; acts.ts looks at them.
    if (kind === 'command') continue
    const there = new Set<string>()
    const partitions = await log.partitions(topic)
    for (let partition = 0; partition < partitions; partition++) {
      for await (const { headers } of recordsOf(log, topic, partition)) there.add(headers[sourceHeader] ?? '')
    }
    let missing = 0
    for (const processor of ['profiler', 'evaluator', 'governor', 'fleet']) {
      for await (const { shard, offset, at, entry } of entriesOf(log, processor)) {
        if (at > upTo) continue
        for (const [index, out] of entry.outs.entries()) {
          if (out.kind === kind && !there.has(`${shardLog(processor)}/${shard}/${offset}/${index}`)) missing += 1
        }
      }
    }
    if (missing > 0) problems.push(`${missing} outs of kind ${kind} were never published`)
  }
}

/** Every entry of every shard executed again, from the beginning and from the oldest snapshot. */
async function replayed({ log, config }: Stage, problems: string[]): Promise<number> {
  const { rootKey } = await publicKeys(config)
  const deployments = readDeployments(config)
  const named = new Set(deployments.flatMap(({ document }) => Object.values(document.topics)))
  const eventPartitions = new Map<string, number>()
  for (const name of named) eventPartitions.set(name, await log.partitions(name))
  const shards = {
    profiler: await log.partitions(shardLog('profiler')),
    deployments: await log.partitions(shardLog('governor')),
  }
  let entries = 0
  for (const { name, shards: count, run } of processors({ config, deployments, shards, eventPartitions }, rootKey)) {
    for (let shard = 0; shard < count; shard++) {
      for (const from of [{ wanted: 0n }, {}]) {
        const report = await run((processor) => verifyReplay({ log, processor, shard, ...from })).catch(
          (error: Error) => {
            problems.push(`replay ${name}/${shard}: ${error.message}`)
          },
        )
        if (!report) continue
        entries += report.entries
        const { mismatches, unreachable } = report
        for (const { offset, what, detail } of mismatches.slice(0, 3)) {
          problems.push(`replay ${name}/${shard} entry ${offset}: other ${what}: ${detail}`)
        }
        if (mismatches.length > 3) problems.push(`replay ${name}/${shard}: ${mismatches.length} differences`)
        for (const { why } of unreachable) problems.push(`replay ${name}/${shard}: not reached: ${why}`)
      }
    }
  }
  return entries
}

const shown = 5

function shortened(what: string, lines: readonly string[]): readonly string[] {
  const rest = lines.length - shown
  return [...lines.slice(0, shown).map((line) => `${what}: ${line}`), ...(rest > 0 ? [`${what}: ${rest} more`] : [])]
}

export function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}
