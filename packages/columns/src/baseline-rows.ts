import type { Column, Columns } from './columns.ts'

/** Rows of known-healthy data in columns, all as long as `prediction`. */
export interface BaselineBatch {
  /** Numeric features (missing: NaN) and categorical ones (missing: null). Every batch has the same. */
  readonly features: Readonly<Record<string, Float64Array | readonly (string | null)[]>>
  /** Missing: NaN. */
  readonly score?: Float64Array
  readonly prediction: readonly (string | null)[]
  readonly producer: readonly string[]
  readonly segments: Readonly<Record<string, readonly string[]>>
  /** Missing: NaN. */
  readonly latencyMs?: Float64Array
  /** Which window (a day, say) each row belongs to: how healthy windows differ sets the design effects. */
  readonly window?: Int32Array
  /** When each row was answered, ms since 1970: how busy the hours of the week are. Missing: NaN. */
  readonly timeMs?: Float64Array
}

/** What was wrong with the rows of a baseline: the caller's mistake, worded for a person. */
export class BaselineProblem extends Error {
  override readonly name = 'BaselineProblem'
}

/** Puts rows `from` … `to` (exclusive) of a batch into empty columns. */
export function fillColumns(columns: Columns, batch: BaselineBatch, from: number, to: number): void {
  const innerName = ({ name }: Column): string => name.slice(name.indexOf('.') + 1)
  const sources: readonly (readonly [Column, Float64Array | readonly (string | null)[] | undefined])[] = [
    [columns.prediction, batch.prediction],
    [columns.producer, batch.producer],
    [columns.score, batch.score],
    [columns.latencyMs, batch.latencyMs],
    ...columns.segments.map((column) => [column, batch.segments[innerName(column)]] as const),
    ...columns.features.map((column) => [column, batch.features[innerName(column)]] as const),
  ]
  columns.reserve(to - from)
  for (const [column, values] of sources) {
    for (let at = from; at < to; at++) {
      const value = values?.[at]
      const row = columns.rows + at - from
      if (typeof value === 'string') column.putText(row, value)
      else if (typeof value === 'number' && !Number.isNaN(value)) column.putNumber(row, value)
      else column.putNothing(row)
    }
  }
  for (let row = columns.rows; row < columns.rows + to - from; row++) columns.status.putText(row, 'ok')
  columns.rows += to - from
}

/** @throws BaselineProblem unless there are rows, and all batches have the same columns, each of one length */
export function checkBatches(batches: readonly BaselineBatch[]): void {
  const first = batches[0]
  if (first === undefined || batches.every(({ prediction }) => prediction.length === 0)) {
    throw new BaselineProblem('there are no baseline rows: check the file, its filter, or the time range')
  }
  batches.forEach((batch, index) => {
    if (shapeOf(batch) !== shapeOf(first)) {
      throw new BaselineProblem(`batch ${index} has other columns, or columns of another type, than batch 0`)
    }
    const columns: readonly (readonly [string, ArrayLike<unknown> | undefined])[] = [
      ...Object.entries(batch.features).map(([name, values]) => [`feature ${name}`, values] as const),
      ...Object.entries(batch.segments).map(([name, values]) => [`segment ${name}`, values] as const),
      ['score', batch.score],
      ['producer', batch.producer],
      ['latencyMs', batch.latencyMs],
      ['window', batch.window],
      ['time', batch.timeMs],
    ]
    for (const [name, values] of columns) {
      if (values !== undefined && values.length !== batch.prediction.length) {
        throw new BaselineProblem(
          `batch ${index}: ${name} has ${values.length} rows, and prediction ${batch.prediction.length}`,
        )
      }
    }
  })
}

function shapeOf(batch: BaselineBatch): string {
  const features = Object.keys(batch.features).sort()
  return JSON.stringify([
    features.map((name) => [name, batch.features[name] instanceof Float64Array]),
    Object.keys(batch.segments).sort(),
    batch.score !== undefined,
    batch.latencyMs !== undefined,
    batch.window !== undefined,
    batch.timeMs !== undefined,
  ])
}
