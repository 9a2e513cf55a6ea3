import { type EventKind, specProblem } from '@interlock/columns'
import {
  type CountSpec,
  contentHash,
  type DeploymentId,
  type EventTime,
  type FieldMapping,
  type Hash,
  type VersionId,
  type WatchOut,
} from '@interlock/contracts'

/** What the profiler keeps of a watch: by which names and spec the rows of one generation are counted. */
export interface Watched {
  readonly deployment: DeploymentId
  readonly environment: string
  readonly tenant: string
  readonly topics: Readonly<Partial<Record<EventKind, string>>>
  readonly mapping: FieldMapping
  readonly generation: number
  /** Every version of the generation so far: one that was taken back still answers until its agent has acted. */
  readonly versions: readonly VersionId[]
  readonly spec: CountSpec
  readonly specHash: Hash
  readonly paneMs: number
  readonly from: EventTime
  /** Whether the policy asks how often event ids come more than once. Absent: it does not. */
  readonly ids?: true
}

/** What the schema writes for a tenant that the producer did not name. */
export const unnamedTenant = 'default'

/** Generations of a deployment whose rows are still counted: the newest, and those that routers may still name. */
const keptGenerations = 3
/** Watches of one generation that are kept: the newest, and the one before it for panes before its `from`. */
const keptWatches = 2

/**
 * @returns the watches with this one in force, or why it cannot be: then it is not echoed, and without the echo the
 *   governor gives the candidate no share. Sorted by deployment, oldest first within one.
 */
export function withWatch(watches: readonly Watched[], out: WatchOut): readonly Watched[] | { refused: string } {
  const others = watches.filter(({ deployment }) => deployment !== out.deployment)
  const own = watches.filter(({ deployment }) => deployment === out.deployment)
  const sameGeneration = own.filter(({ generation }) => generation === out.generation)
  const named = [
    ...sameGeneration.flatMap(({ versions }) => versions),
    out.stable,
    ...(out.candidate === null ? [] : [out.candidate]),
  ]
  const watch: Watched = {
    deployment: out.deployment,
    environment: out.document.environment,
    tenant: out.document.tenant,
    topics: topicsOf(out),
    mapping: out.document.mapping,
    generation: out.generation,
    versions: [...new Set(named)].sort(),
    spec: out.spec,
    specHash: out.specHash,
    paneMs: out.policy.times.paneMs,
    from: out.from,
    ...(out.policy.guardrails.some(({ signal }) => signal === 'duplicates') ? { ids: true } : {}),
  }
  const refused = problemOf(watch, others)
  if (refused !== null) return { refused }
  const newest = Math.max(out.generation, ...own.map(({ generation }) => generation))
  const kept = [
    ...own.filter(({ generation }) => generation !== out.generation && generation > newest - keptGenerations),
    ...sameGeneration.slice(1 - keptWatches),
    watch,
  ].sort((a, b) => a.generation - b.generation)
  return [...others, ...kept].sort((a, b) => (a.deployment < b.deployment ? -1 : a.deployment > b.deployment ? 1 : 0))
}

function topicsOf({ document: { topics } }: WatchOut): Watched['topics'] {
  return {
    predictions: topics.predictions,
    ...(topics.features === undefined ? {} : { features: topics.features }),
    ...(topics.outcomes === undefined ? {} : { outcomes: topics.outcomes }),
  }
}

function problemOf(watch: Watched, others: readonly Watched[]): string | null {
  const problem = specProblem(watch.spec)
  if (problem !== null) return `its spec cannot be counted: ${problem}`
  if (contentHash(watch.spec) !== watch.specHash) return 'its spec is not the one that its hash names'
  if (!(Number.isSafeInteger(watch.paneMs) && watch.paneMs > 0)) return `its pane is ${watch.paneMs} ms long`
  // A record is read before its deployment is known, so those who share a topic must name its fields alike.
  for (const other of others) {
    for (const kind of Object.keys(watch.topics) as EventKind[]) {
      for (const otherKind of Object.keys(other.topics) as EventKind[]) {
        const topic = watch.topics[kind]
        if (topic !== other.topics[otherKind]) continue
        if (kind !== otherKind)
          return `topic ${topic} holds ${otherKind} of ${other.deployment}, and cannot hold its ${kind}`
        if (contentHash(watch.mapping) !== contentHash(other.mapping))
          return `topic ${topic} is shared with ${other.deployment}, whose field mapping is another`
      }
    }
  }
  return null
}
