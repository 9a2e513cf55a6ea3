import {
  type AnyOut,
  type CountsOut,
  type DeploymentId,
  type EvidenceOut,
  encodeOut,
  type Input,
  type WatchOut,
} from '@interlock/contracts'
import { createEvaluator } from '@interlock/evaluator'
import type { EventLog } from '@interlock/runtime'
import { type Counted, countsOfPane, entriesOf, paneKey, type Watched } from './recount.ts'

/** What happened to one deployment in the evaluator, in order: watches that it took and panes that it closed. */
type Moment = { readonly watch: WatchOut } | { readonly evidence: EvidenceOut }

export interface EvidenceCompared {
  readonly panes: number
  /** Bytes of evidence that were equal. */
  readonly bytes: number
  /** Rows that the evaluator took for late. */
  readonly late: number
  readonly differences: readonly string[]
}

/**
 * Makes all evidence anew from recounted counts, one pure step a pane, and compares its bytes with what the evaluator's
 * valid entries say. Only the order of watches among the panes is taken from the log: it depends on when a watch came.
 */
export async function compareEvidence(
  log: EventLog,
  counted: Counted,
  watches: readonly Watched[],
): Promise<EvidenceCompared> {
  const panes = countsOfPane(counted)
  const result = { panes: 0, bytes: 0, late: 0, differences: [] as string[] }
  for (const [deployment, moments] of await momentsOf(log, watches)) {
    const again = evidenceMaker()
    for (const moment of moments) {
      if ('watch' in moment) {
        again.take(moment.watch)
        continue
      }
      const { evidence } = moment
      const made = again.close(evidence, panes.get(paneKey(deployment, evidence.pane)) ?? [])
      const [inLog, anew] = [encodeOut(evidence).value, made === undefined ? Buffer.alloc(0) : encodeOut(made).value]
      result.panes += 1
      result.late = Math.max(result.late, evidence.late)
      if (Buffer.compare(inLog, anew) === 0) result.bytes += inLog.length
      else result.differences.push(`${deployment} pane ${evidence.pane}: ${firstDifference(evidence, made)}`)
    }
  }
  return result
}

/** A pure evaluator of one deployment with one profiler shard, which is told pane after pane. */
function evidenceMaker() {
  const evaluator = createEvaluator({ shards: 1, profilerShards: 1 })
  let state = evaluator.empty(0)
  let time = 0
  let policy: WatchOut['policy'] | undefined
  const step = (outs: readonly AnyOut[]): readonly AnyOut[] => {
    const batch = outs.map((out): Input => ({ kind: 'out', processor: '', shard: 0, offset: 0n, at: 0, out }))
    const [next, made] = evaluator.step(state, batch, time, false)
    state = next
    return made
  }
  return {
    take(watch: WatchOut): void {
      policy = watch.policy
      time = Math.max(time, watch.from)
      step([watch])
    },
    /** @returns undefined when it does not close this pane next */
    close({ pane, paneMs }: EvidenceOut, counts: readonly CountsOut[]): EvidenceOut | undefined {
      const watermark = pane + paneMs + (policy?.times.latenessMs ?? 0)
      time = Math.max(time, watermark + 1_000)
      const progress = {
        kind: 'progress',
        shard: 0,
        watermark,
        caughtUp: false,
        taken: 0,
        counted: 0,
        dead: {},
      } as const
      const made = step([...counts, progress]).filter((out) => out.kind === 'evidence')
      return made.length === 1 ? made[0] : undefined
    },
  }
}

async function momentsOf(
  log: EventLog,
  watches: readonly Watched[],
): Promise<ReadonlyMap<DeploymentId, readonly Moment[]>> {
  const moments = new Map<DeploymentId, Moment[]>()
  const of = (deployment: DeploymentId): Moment[] => {
    const list = moments.get(deployment) ?? []
    moments.set(deployment, list)
    return list
  }
  for await (const { shard, entry, outs } of entriesOf(log, 'evaluator')) {
    const range = entry.took.find(({ topic }) => topic === 'log.governor')
    for (const { shard: from, offset, watch } of watches) {
      if (range === undefined || from !== shard || offset < range.from || offset >= range.to) continue
      of(watch.deployment).push({ watch })
    }
    for (const out of outs) if (out.kind === 'evidence') of(out.deployment).push({ evidence: out })
  }
  return moments
}

function firstDifference(evidence: EvidenceOut, made: EvidenceOut | undefined): string {
  if (made === undefined) return 'made anew it does not close here'
  const field = (Object.keys(evidence) as (keyof EvidenceOut)[]).find(
    (name) => JSON.stringify(evidence[name]) !== JSON.stringify(made[name]),
  )
  const show = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 200)
  return `${field ?? 'bytes'}: ${show(field && evidence[field])} and anew ${show(field && made[field])}`
}
