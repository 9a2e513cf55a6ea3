import type { FieldMapping } from '@interlock/contracts'
import type { Columns } from './columns.ts'

/** Where a batch's columns stand in a record of a topic. */
export interface Paths {
  /** Dotted path → places in `Columns.all`: several where a field is, say, a feature and a segment. */
  readonly columns: ReadonlyMap<string, readonly number[]>
  /** Dotted paths of the maps (or records) that hold features and segments. */
  readonly features: string
  readonly segments: string
}

/**
 * Applies a field mapping. `deployment: model.name` renames one field; `features: inputs` renames the holder of all
 * features; `features.distance: inputs.dist_km` one feature wherever it lies. A field that is not mapped has our name.
 */
export function pathsOf(columns: Columns, mapping: FieldMapping): Paths {
  const mapped = (name: string): string | undefined => (Object.hasOwn(mapping, name) ? mapping[name] : undefined)
  const holders = { features: mapped('features') ?? 'features', segments: mapped('segments') ?? 'segments' }
  const paths = new Map<string, number[]>()
  columns.all.forEach(({ name }, index) => {
    const dot = name.indexOf('.')
    const within = dot < 0 ? name : `${holders[name.slice(0, dot) as keyof typeof holders]}.${name.slice(dot + 1)}`
    const path = mapped(name) ?? within
    paths.set(path, [...(paths.get(path) ?? []), index])
  })
  return { columns: paths, ...holders }
}
