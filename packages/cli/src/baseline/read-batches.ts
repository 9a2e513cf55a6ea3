import type { BaselineBatch } from '@interlock/columns'
import { contentHash } from '@interlock/contracts'
import { Refused, UsageError } from '../errors.ts'
import { type Cell, type Row, readTable } from './read-table.ts'

/** Which columns of a table hold what. */
export interface TableColumns {
  readonly from: string
  readonly numeric: readonly string[]
  readonly categorical: readonly string[]
  readonly prediction: string
  readonly score?: string
  readonly latency?: string
  readonly producer?: string
  /** `name=column` pairs. */
  readonly segments: readonly string[]
  readonly window?: string
  /** When each row was answered. */
  readonly time?: string
}

/** A table as batches of columns, one a chunk of its rows. @throws UsageError, Refused with file, column and row */
export async function readBatches(options: TableColumns): Promise<readonly BaselineBatch[]> {
  const segments = options.segments.map((pair) => {
    const [name, column] = pair.split('=')
    if (!name || !column) throw new UsageError(`--segment "${pair}": write <name>=<column>`)
    return { name, column }
  })
  const columns = [
    ...options.numeric,
    ...options.categorical,
    options.prediction,
    ...[options.score, options.latency, options.producer, options.window, options.time].filter(
      (name) => name !== undefined,
    ),
    ...segments.map(({ column }) => column),
  ]
  const batches: BaselineBatch[] = []
  let read = 0
  for await (const rows of readTable(options.from, [...new Set(columns)])) {
    batches.push(batchOf(rows, read, options, segments))
    read += rows.length
  }
  return batches
}

/** @param before rows that were read before these */
function batchOf(
  rows: readonly Row[],
  before: number,
  options: TableColumns,
  segments: readonly { name: string; column: string }[],
): BaselineBatch {
  const numeric = (name: string): Float64Array =>
    Float64Array.from(rows, (row, index) => numberOf(row[name] ?? null, options.from, name, before + index + 1))
  const words = (name: string): (string | null)[] => rows.map((row) => wordOf(row[name] ?? null))
  const known = (name: string): string[] => words(name).map((word) => word ?? 'unknown')
  return {
    features: Object.fromEntries([
      ...options.numeric.map((name) => [name, numeric(name)] as const),
      ...options.categorical.map((name) => [name, words(name)] as const),
    ]),
    prediction: words(options.prediction),
    producer: options.producer === undefined ? rows.map(() => 'unknown') : known(options.producer),
    segments: Object.fromEntries(segments.map(({ name, column }) => [name, known(column)])),
    ...(options.score === undefined ? {} : { score: numeric(options.score) }),
    ...(options.latency === undefined ? {} : { latencyMs: numeric(options.latency) }),
    ...(options.window === undefined ? {} : { window: windowsOf(words(options.window)) }),
    ...(options.time === undefined ? {} : { timeMs: timesOf(rows, options.time, options.from, before) }),
  }
}

/** Any column can name windows (a date, a batch): equal values are one window. Numbered by what they say, not by order. */
function windowsOf(values: readonly (string | null)[]): Int32Array {
  return Int32Array.from(values, (value) => Number.parseInt(contentHash(value ?? '').slice(0, 7), 16))
}

/** Milliseconds since 1970 from numbers of them, dates, or texts such as 2001-04-01T05:00:00Z (UTC where no zone stands). */
function timesOf(rows: readonly Row[], column: string, file: string, before: number): Float64Array {
  return Float64Array.from(rows, (row, index) => {
    const value = row[column] ?? null
    if (typeof value !== 'string' || /^\s*-?[\d.]*\s*$/.test(value))
      return numberOf(value, file, column, before + index + 1)
    const time = Date.parse(/(z|[+-]\d\d:?\d\d)$/i.test(value) ? value : `${value.replace(' ', 'T')}Z`)
    if (!Number.isNaN(time)) return time
    throw new Refused(
      `${file}: column "${column}" holds "${value.slice(0, 40)}" in row ${before + index + 1}, where a time should be. Write such as 2001-04-01T05:00:00Z, or milliseconds since 1970.`,
    )
  })
}

/** Texts by which tables say that there is no number; an empty cell says it too. */
const noNumber: readonly string[] = ['', 'NaN', 'nan', 'null', 'NA']

/** @throws Refused for a text that is no number: as a missing value it would hide what the column really holds */
function numberOf(value: Cell, file: string, column: string, row: number): number {
  if (value === null || (typeof value === 'string' && noNumber.includes(value.trim()))) return Number.NaN
  const number = Number(value)
  if (typeof value === 'string' && Number.isNaN(number)) {
    throw new Refused(
      `${file}: column "${column}" holds "${value.slice(0, 40)}" in row ${row}, where a number should be. Mend it, leave the cell empty, or name the column with --categorical.`,
    )
  }
  return number
}

function wordOf(value: Cell): string | null {
  return value === null || value === '' ? null : String(value)
}
