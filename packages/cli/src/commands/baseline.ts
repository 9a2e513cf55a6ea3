import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type BaselineBatch, BaselineProblem, buildBaseline } from '@interlock/columns'
import { contentHash, type VersionId } from '@interlock/contracts'
import { type Cell, type Row, readTable } from '../baseline/read-table.ts'
import { readDocument } from '../documents.ts'
import { exitCodes, Refused, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { count } from '../words.ts'

export interface BaselineBuildOptions {
  readonly version: string
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
  /** When each row was answered; local time is UTC and so many minutes. */
  readonly time?: string
  readonly utcOffset?: number
  /** A baseline whose bins are taken over, so that the two can be compared. */
  readonly like?: string
  readonly latencyLimits?: string
  readonly out: string
}

/** `interlock baseline build`: counts rows known to be healthy into a baseline document. */
export async function baselineBuild(options: BaselineBuildOptions, out: Output): Promise<number> {
  if (!/^[^@\s]+@[^@\s]+$/.test(options.version))
    throw new UsageError(`--version "${options.version}": a version reads <model>@<version>`)
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
  const like = options.like === undefined ? undefined : readDocument(options.like, 'baseline').document
  try {
    const baseline = buildBaseline({
      version: options.version as VersionId,
      from: basename(options.from),
      batches,
      ...(like === undefined ? {} : { like }),
      options: {
        ...(options.latencyLimits === undefined ? {} : { latencyLimitsMs: limitsOf(options.latencyLimits) }),
        ...(options.utcOffset === undefined ? {} : { utcOffsetMinutes: options.utcOffset }),
      },
    })
    writeFileSync(options.out, `${JSON.stringify(baseline)}\n`)
    const hash = contentHash(baseline)
    out.result(
      { file: options.out, hash, rows: baseline.rows, spec: baseline.specHash },
      `${options.out}: ${count(baseline.rows)} rows, ${baseline.spec.features.length} features, ${baseline.slices.length} slices\n  baseline ${hash}\n  bins     ${baseline.specHash}`,
    )
    return exitCodes.good
  } catch (error) {
    if (error instanceof BaselineProblem) throw new Refused(`${options.from}: ${error.message}`)
    throw error
  }
}

/** @param before rows that were read before these */
function batchOf(
  rows: readonly Row[],
  before: number,
  options: BaselineBuildOptions,
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

function limitsOf(text: string): { p50: number; p90: number; p99: number } {
  const [p50, p90, p99] = text.split(',').map(Number)
  if (p50 === undefined || p90 === undefined || p99 === undefined || !(0 < p50 && p50 < p90 && p90 < p99)) {
    throw new UsageError(`--latency-limits "${text}": write three rising milliseconds, such as 8,13,20`)
  }
  return { p50, p90, p99 }
}
