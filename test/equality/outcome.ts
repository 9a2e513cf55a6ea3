import {
  type AnyOut,
  addPacked,
  type CountsOut,
  canonicalJson,
  type DecisionOut,
  decodeOut,
  type EvidenceOut,
  layoutOf,
  type ProcessorName,
  type ProgressOut,
  packCounts,
  sha256,
  shardLog,
} from '@interlock/contracts'
import { beginningOfLog, type EventLog, validEntries } from '@interlock/runtime'
import type { Recording } from './recording.ts'

/** What a run came to, in a form in which equal is equal. */
export interface Outcome {
  /** Packed sums by generation, version, variant, pane, spec, dimension and value. */
  readonly counts: ReadonlyMap<string, string>
  /** Rows by pane. */
  readonly rowsByPane: ReadonlyMap<number, number>
  /** Evidence outs as canonical text, in order. */
  readonly evidence: readonly string[]
  readonly evidenceOuts: readonly EvidenceOut[]
  /** What was decided and why: everything but when. */
  readonly decisions: readonly string[]
  readonly decisionOuts: readonly DecisionOut[]
  readonly taken: number
  readonly dead: number
  readonly entries: number
  readonly voids: number
}

/** Longer than a pane stays open behind its last row. */
const settleMs = 6_000

/** Reads it from the logs of the processors, all shards. */
export async function outcomeOf(log: EventLog, recording: Omit<Recording, 'batches'>): Promise<Outcome> {
  const { stable, startMs, quantumMs, quanta } = recording
  // How far a run goes on while its parts end is its own.
  const endMs = startMs + quanta * quantumMs - settleMs
  const layout = layoutOf(stable.baseline.spec)
  const sums = new Map<string, Float64Array>()
  const rowsByPane = new Map<number, number>()
  const evidenceOuts: EvidenceOut[] = []
  const decisionOuts: DecisionOut[] = []
  let taken = 0
  let dead = 0
  const count = (out: CountsOut): void => {
    rowsByPane.set(out.pane, (rowsByPane.get(out.pane) ?? 0) + out.rows)
    for (const { dimension, value, counts } of out.slices) {
      const key = [out.generation, out.version, out.variant, out.pane, out.spec, dimension, value].join(' ')
      const sum = sums.get(key) ?? new Float64Array(layout.width)
      addPacked(counts, sum)
      sums.set(key, sum)
    }
  }
  const account = (out: ProgressOut): void => {
    taken += out.taken
    dead += Object.values(out.dead).reduce((total, rows) => total + rows, 0)
  }
  let entries = 0
  let voids = 0
  const read = async (processor: ProcessorName, take: (out: AnyOut) => void): Promise<void> => {
    const topic = shardLog(processor)
    for (let partition = 0; partition < (await log.partitions(topic)); partition++) {
      const { end } = await log.bounds(topic, partition)
      let valid = 0
      for await (const { entry } of validEntries(log, { topic, partition }, beginningOfLog, end)) {
        valid += 1
        for (const out of entry.outs) take(decodeOut(out))
      }
      entries += valid
      voids += Number(end) - valid
    }
  }
  await read('profiler', (out) => {
    if (out.kind === 'counts') count(out)
    if (out.kind === 'progress') account(out)
  })
  await read('evaluator', (out) => {
    if (out.kind === 'evidence' && out.pane + out.paneMs <= endMs) evidenceOuts.push(out)
  })
  await read('governor', (out) => {
    if (out.kind === 'decision' && out.at <= endMs) decisionOuts.push(out)
  })
  return {
    counts: new Map([...sums].map(([key, sum]) => [key, Buffer.from(packCounts(sum)).toString('base64')])),
    rowsByPane,
    evidence: evidenceOuts.map((out) => canonicalJson(out)),
    evidenceOuts,
    decisions: decisionOuts.filter((one) => !isEarlyHold(one)).map(reasonsOf),
    decisionOuts,
    ...{ taken, dead, entries, voids },
  }
}

/**
 * Evidence of panes that are open depends on what had arrived when it was looked at. It may hold early and release again, and
 * nothing else: no equality is promised for that (docs/architecture.md), and so neither for how decisions are numbered.
 */
const isEarlyHold = ({ rule }: DecisionOut): boolean => rule.startsWith('provisional')

/** A decision's reasons, without its moment. */
function reasonsOf({ outcome, rule, evidence, guardrail, policy, by, generation }: DecisionOut): string {
  return canonicalJson({ outcome, rule, evidence, guardrail, policy, by, generation })
}

/** Short name of a list of texts, for the table. */
export function digest(texts: Iterable<string>): string {
  return sha256([...texts].join('\n')).slice(0, 12)
}
