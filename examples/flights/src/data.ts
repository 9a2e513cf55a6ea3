import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FileMetaData, type ParquetParsers, parquetMetadata, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { airports as knownAirports } from './regions.ts'

/** US domestic flights in columns, in order of departure. All columns have `rows` entries. */
export type Flights = {
  readonly rows: number
  /** Row number in the file of the first row: `firstRow + i` names a flight whatever span was loaded. */
  readonly firstRow: number
  /** Departure, local wall clock, minutes since 2001-01-01 00:00. */
  readonly departureMinute: Uint32Array
  /** Delay on arrival in minutes; negative: early. */
  readonly delayMinutes: Int16Array
  /** Distance of the route in miles. */
  readonly distanceMiles: Uint16Array
  /** Dictionary codes into `airports`. */
  readonly origin: Uint16Array
  readonly destination: Uint16Array
  /** Airports by code; the same in every load (an airport that the region table does not know comes last). */
  readonly airports: readonly string[]
}

/** Days counted from 2001-01-01 (day 0, a Monday); `to` is exclusive. */
export type DaySpan = { readonly from: number; readonly to: number }

/** Milliseconds (UTC reading of the local wall clock) at which minute 0 and day 0 begin. */
export const epochMs = Date.UTC(2001, 0, 1)

/** What each part of the half year is used for. The file ends with June: its 181 days are 0 to 180. */
export const spans = {
  /** January and February: rates and weights are learned here. */
  training: { from: 0, to: 59 },
  /** March: what a model was accepted on, hence the baseline. */
  march: { from: 59, to: 90 },
  /** The last eleven days of March: the offline comparison of v1 and v2. */
  heldOut: { from: 79, to: 90 },
  /** April to June: replayed as live traffic. */
  live: { from: 90, to: 181 },
} as const satisfies Record<string, DaySpan>

/** A flight is late if it arrives more than this many minutes after its scheduled time. */
export const lateAfterMinutes = 15

const minutesPerDay = 1_440

/** The file of vega-datasets on this machine. */
export function flightsFile(): string {
  const entry = fileURLToPath(import.meta.resolve('vega-datasets'))
  let folder = dirname(entry)
  while (!folder.endsWith('vega-datasets')) {
    const parent = dirname(folder)
    if (parent === folder) {
      throw new Error(
        `flights: cannot find the folder of the npm package vega-datasets above ${entry}\n` +
          '  The example replays its data/flights-3m.parquet. Run `npm run setup` at the root of the repository.',
      )
    }
    folder = parent
  }
  return join(folder, 'data', 'flights-3m.parquet')
}

/** SHA-256 of the data file, for the manifests of what was trained on it. */
export async function flightsDigest(): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(flightsFile())) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

/**
 * Reads the flights that departed in a span of days. Only row groups that touch the span are decoded (the file is
 * sorted by departure, eleven row groups of 272,727 rows); about 0.3 s a row group.
 */
export async function loadFlights(span: DaySpan): Promise<Flights> {
  const path = flightsFile()
  const bytes = readFileSync(path)
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const metadata = parquetMetadata(file)
  const fromMinute = span.from * minutesPerDay
  const toMinute = span.to * minutesPerDay
  const wanted = rowsToRead(metadata, fromMinute, toMinute)
  const airports = [...knownAirports]
  const columns = emptyColumns(wanted.rowEnd - wanted.rowStart)
  await parquetRead({
    file,
    metadata,
    compressors,
    rowStart: wanted.rowStart,
    rowEnd: wanted.rowEnd,
    parsers: parsersInto(airports),
    onChunk({ columnName, columnData, rowStart }) {
      const column = columns[columnName as keyof typeof columns]
      if (column === undefined) return
      const shift = rowStart - wanted.rowStart
      for (let row = 0; row < columnData.length; row++) {
        const value: unknown = columnData[row]
        if (value === null || value === undefined) {
          throw new Error(
            `flights: ${path}: row ${rowStart + row} has no ${columnName}; this file is known to have none empty`,
          )
        }
        column[shift + row] = Number(value)
      }
    },
  })
  const first = lowerBound(columns.date, fromMinute)
  const end = lowerBound(columns.date, toMinute)
  return {
    rows: end - first,
    firstRow: wanted.rowStart + first,
    departureMinute: columns.date.subarray(first, end),
    delayMinutes: columns.delay.subarray(first, end),
    distanceMiles: columns.distance.subarray(first, end),
    origin: columns.origin.subarray(first, end),
    destination: columns.destination.subarray(first, end),
    airports,
  }
}

/** The first row of `day` (counted from 2001-01-01) among the flights, and one past its last. */
export function rowsOfDay(flights: Flights, day: number): { readonly from: number; readonly to: number } {
  return {
    from: lowerBound(flights.departureMinute, day * minutesPerDay),
    to: lowerBound(flights.departureMinute, (day + 1) * minutesPerDay),
  }
}

/** The date of a day, such as 2001-04-01. */
export function dateOfDay(day: number): string {
  return new Date(epochMs + day * minutesPerDay * 60_000).toISOString().slice(0, 10)
}

/** The day (counted from 2001-01-01) of a date such as 2001-04-01. */
export function dayOfDate(date: string): number {
  const day = (Date.parse(`${date}T00:00:00Z`) - epochMs) / (minutesPerDay * 60_000)
  if (!Number.isInteger(day) || day < 0 || day >= spans.live.to) {
    throw new Error(`flights: "${date}" is no date of the data; give one from 2001-01-01 to 2001-06-30`)
  }
  return day
}

function emptyColumns(rows: number) {
  return {
    date: new Uint32Array(rows),
    delay: new Int16Array(rows),
    distance: new Uint16Array(rows),
    origin: new Uint16Array(rows),
    destination: new Uint16Array(rows),
  }
}

/** Parsers run once a dictionary entry, not once a row: airports become codes and timestamps minutes right there. */
function parsersInto(airports: string[]): Partial<ParquetParsers> {
  const codes = new Map(airports.map((airport, code) => [airport, code]))
  const decoder = new TextDecoder()
  return {
    timestampFromMicroseconds: (micros: bigint) => Number(micros / 60_000_000n) - epochMs / 60_000,
    stringFromBytes(bytes: Uint8Array) {
      const airport = decoder.decode(bytes)
      const known = codes.get(airport)
      if (known !== undefined) return known
      codes.set(airport, airports.length)
      return airports.push(airport) - 1
    },
  }
}

/** The row groups whose departures touch [fromMinute, toMinute), by the statistics in the file's footer. */
function rowsToRead(
  metadata: FileMetaData,
  fromMinute: number,
  toMinute: number,
): { rowStart: number; rowEnd: number } {
  let rowStart = -1
  let rowEnd = 0
  let row = 0
  for (const group of metadata.row_groups) {
    const statistics = group.columns[0]?.meta_data?.statistics
    const first = minuteOf(statistics?.min_value) ?? 0
    const last = minuteOf(statistics?.max_value) ?? Number.POSITIVE_INFINITY
    const next = row + Number(group.num_rows)
    if (last >= fromMinute && first < toMinute) {
      if (rowStart < 0) rowStart = row
      rowEnd = next
    }
    row = next
  }
  return { rowStart: Math.max(rowStart, 0), rowEnd }
}

function minuteOf(value: unknown): number | undefined {
  return value instanceof Date ? (value.getTime() - epochMs) / 60_000 : undefined
}

function lowerBound(sorted: Uint32Array, value: number): number {
  let from = 0
  let to = sorted.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (sorted[middle]! < value) from = middle + 1
    else to = middle
  }
  return from
}
