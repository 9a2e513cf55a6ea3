import type { EvidenceOut, PaneSummary } from '@interlock/contracts'
import type { EvidencePoint, Series, SeriesPoint } from './api.ts'
import { thinned } from './thinned.ts'

/** Points of one line in an answer at most. */
export const maxPoints = 600
/** A line is thinned when it is this long: the older part to a third, the newer part stays pane by pane. */
const keptPoints = 1_200
const olderPoints = 900

/** Versions whose panes are kept, those that answered last. */
const keptVersions = 4

/** The lines of a deployment's charts, by version (panes) and by guardrail and version (evidence). Never mutated. */
export interface Lines {
  /** Whose evidence it is: a new generation starts its evidence anew. */
  readonly generation: number
  readonly panes: ReadonlyMap<string, readonly SeriesPoint[]>
  readonly evidence: ReadonlyMap<string, readonly EvidencePoint[]>
}

export const noLines: Lines = { generation: -1, panes: new Map(), evidence: new Map() }

const paneMeasures: readonly ((point: SeriesPoint) => number)[] = [
  ({ rows, errors }) => (rows === 0 ? Number.NaN : errors / rows),
  ({ rows, p99 }) => (rows === 0 ? Number.NaN : p99),
  ({ coverage, rows }) => (rows === 0 ? 0 : coverage),
]
const evidenceMeasures: readonly ((point: EvidencePoint) => number)[] = [({ harm }) => harm]

/** Adds a closed pane to every line. */
export function withPane(lines: Lines, out: EvidenceOut): Lines {
  const panes = new Map(lines.panes)
  for (const summary of summedByVersion(out.summaries)) {
    const { version, variant, rows, errors, latencyMs } = summary
    const { p50, p99 } = latencyMs
    const point = { at: out.pane, version, variant, rows, errors, p50, p99, coverage: out.coverage }
    const line = appended(panes.get(version), point, paneMeasures)
    panes.delete(version)
    panes.set(version, line)
  }
  const evidence = new Map(out.generation === lines.generation ? lines.evidence : [])
  for (const { guardrail, version, variant, evidence: found, limit } of out.guardrails) {
    const { harm, safe } = found.logE
    const point = { at: out.pane, guardrail, version, variant, harm, safe, limit }
    const key = `${guardrail} ${version}`
    evidence.set(key, appended(evidence.get(key), point, evidenceMeasures))
  }
  return { generation: out.generation, panes: new Map([...panes].slice(-keptVersions)), evidence }
}

/** One summary a version: in the pane of a promotion a version has rows in the shadow and rows that answered. */
export function summedByVersion(summaries: readonly PaneSummary[]): readonly PaneSummary[] {
  const sums = new Map<string, PaneSummary>()
  for (const one of summaries) {
    const other = sums.get(one.version)
    if (other === undefined) sums.set(one.version, one)
    else {
      // Quantiles do not add: those of the larger part stand for both.
      const larger = other.rows > one.rows ? other : one
      sums.set(one.version, {
        ...larger,
        rows: one.rows + other.rows,
        errors: one.errors + other.errors,
        predictions: one.predictions.map((count, index) => count + (other.predictions[index] ?? 0)),
      })
    }
  }
  return [...sums.values()]
}

/** The points from `from` to `to` (pane starts, inclusive), at most `most` a line. */
export function seriesOf(lines: Lines, from: number, to: number, most: number): Series {
  const within = ({ at }: { readonly at: number }): boolean => at >= from && at <= to
  return {
    panes: [...lines.panes.values()].flatMap((line) => thinned(line.filter(within), most, paneMeasures)),
    evidence: [...lines.evidence.values()].flatMap((line) => thinned(line.filter(within), most, evidenceMeasures)),
  }
}

function appended<Point extends { readonly at: number }>(
  line: readonly Point[] | undefined,
  point: Point,
  measures: readonly ((point: Point) => number)[],
): readonly Point[] {
  if (line === undefined) return [point]
  if (line.length < keptPoints) return [...line, point]
  return [...thinned(line.slice(0, olderPoints), olderPoints / 3, measures), ...line.slice(olderPoints), point]
}
