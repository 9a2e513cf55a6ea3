import { tallyOfSamples } from '@interlock/columns'
import { addPacked, type EventTime, type Variant, type VersionId } from '@interlock/contracts'
import type { OpenPane } from './panes.ts'
import { otherValue, sliceKey, sliceOf } from './panes.ts'
import type { Plan } from './plan.ts'

/** Sums of a pane that no row may enter any more. */
export interface SummedPane {
  readonly start: EventTime
  readonly ms: number
  /** Counts of a version by how it was asked: its answers were used (`serving`), or nobody saw them (`shadow`). */
  readonly groups: ReadonlyMap<string, Group>
}

/** A pane as the detectors see it. */
export interface ClosedPane extends SummedPane {
  /** Part of the pane that was seen: 1 when every profiler shard reported and every row was counted under the spec. */
  readonly coverage: number
  /** Whole counts by version and variant, for summaries. */
  readonly variants: readonly VariantCounts[]
}

export interface Group {
  readonly whole: Float64Array
  /** By `sliceKey`; only the dimensions that a guardrail looks into. */
  readonly slices: ReadonlyMap<string, Float64Array>
}

export interface VariantCounts {
  readonly version: VersionId
  readonly variant: Variant
  readonly rows: number
  readonly counts: Float64Array
}

export function groupKey(version: VersionId, asked: 'serving' | 'shadow'): string {
  return `${asked} ${version}`
}

/** Whether a group's answers were used. */
export function isServing(key: string): boolean {
  return key.startsWith('serving ')
}

/**
 * Sums an open pane. Rows counted under another spec than the plan's cannot be compared; they lower the coverage instead,
 * so that the pane is never a pass.
 *
 * @param reported part of the profiler shards that vouch for the pane, 0 … 1
 */
export function sumPane(plan: Plan, open: OpenPane, start: EventTime, reported: number): ClosedPane {
  const groups = new Map<string, { whole: Float64Array; slices: Map<string, Float64Array>; ids: Uint8Array[] }>()
  const variants = new Map<string, { version: VersionId; variant: Variant; rows: number; counts: Float64Array }>()
  let rows = 0
  let comparable = 0
  for (const [, cell] of [...open.cells].sort(byKey)) {
    rows += cell.rows
    const variantKey = `${cell.version} ${cell.variant}`
    const summary = variants.get(variantKey) ?? {
      version: cell.version,
      variant: cell.variant,
      rows: 0,
      counts: new Float64Array(plan.layout.width),
    }
    variants.set(variantKey, summary)
    summary.rows += cell.rows
    if (cell.spec !== plan.specHash) continue
    comparable += cell.rows
    const key = groupKey(cell.version, cell.variant === 'shadow' ? 'shadow' : 'serving')
    const group = groups.get(key) ?? {
      whole: new Float64Array(plan.layout.width),
      slices: new Map(),
      ids: [] as Uint8Array[],
    }
    groups.set(key, group)
    group.ids.push(...cell.ids)
    for (const [name, packs] of cell.slices) {
      const { dimension, value } = sliceOf(name)
      if (dimension === 'producer') {
        for (const pack of packs) {
          addPacked(pack, group.whole)
          addPacked(pack, summary.counts)
        }
      }
      const known = plan.dimensions.get(dimension)
      if (known === undefined) continue
      const slice = sliceKey(dimension, known.has(value) ? value : otherValue)
      const sum = group.slices.get(slice) ?? new Float64Array(plan.layout.width)
      group.slices.set(slice, sum)
      for (const pack of packs) addPacked(pack, sum)
    }
  }
  const { sampled } = plan.layout
  const summed = new Map<string, Group>()
  for (const [key, { whole, slices, ids }] of groups) {
    const tally = tallyOfSamples(ids)
    whole[sampled.rows] = tally.rows
    whole[sampled.repeated] = tally.repeated
    summed.set(key, { whole, slices })
  }
  const coverage = rows === 0 ? reported : Math.min(reported, comparable / rows)
  return { start, ms: plan.paneMs, coverage, groups: summed, variants: [...variants.values()] }
}

/** The newest whole panes that slices may still have to move over, with one more. */
export function unmovedAfter(
  plan: Pick<Plan, 'unmovedPanes'>,
  unmoved: readonly SummedPane[],
  pane: ClosedPane,
): readonly SummedPane[] {
  if (pane.coverage < 1) return unmoved
  const { start, ms, groups } = pane
  const all = [...unmoved, { start, ms, groups }]
  return all.slice(Math.max(0, all.length - plan.unmovedPanes))
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
