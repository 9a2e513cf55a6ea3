import { createReadStream, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { pipeline } from 'node:stream'
import { tableFromIPC } from 'apache-arrow'
import { parse } from 'csv-parse'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { UsageError } from '../errors.ts'

export type Cell = number | string | boolean | null
export type Row = Readonly<Record<string, Cell>>

/** Rows that are handed on at once; a baseline of millions of rows never lies in memory as objects. */
const chunkRows = 50_000

/**
 * Reads a table of rows, chosen by the file's ending: .parquet, .csv (with a header line), .arrow or .feather (IPC).
 *
 * @param columns names of the columns to read
 * @throws UsageError for an unknown ending, a missing column, a damaged file; CSV errors name the line
 */
export async function* readTable(file: string, columns: readonly string[]): AsyncGenerator<readonly Row[]> {
  switch (extname(file).toLowerCase()) {
    case '.parquet':
      return yield* checked(file, columns, parquet(file, columns))
    case '.csv':
      return yield* checked(file, columns, csv(file))
    case '.arrow':
    case '.feather':
      return yield* checked(file, columns, arrow(file, columns))
    default:
      throw new UsageError(`${file}: only .parquet, .csv and .arrow can be read`)
  }
}

async function* checked(
  file: string,
  columns: readonly string[],
  chunks: AsyncIterable<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  let first = true
  try {
    for await (const chunk of chunks) {
      const [row] = chunk
      if (first && row !== undefined) {
        first = false
        const missing = columns.filter((name) => !(name in row))
        if (missing.length > 0) {
          throw new UsageError(
            `${file}: there is no column ${missing.map((name) => `"${name}"`).join(', ')}; columns are ${Object.keys(row).join(', ')}`,
          )
        }
      }
      yield chunk
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${file}: cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }
  if (first) throw new UsageError(`${file}: holds no rows, so there is nothing that a baseline could say`)
}

async function* parquet(file: string, columns: readonly string[]): AsyncGenerator<readonly Row[]> {
  const buffer = await asyncBufferFromFile(file)
  for (let from = 0; ; from += chunkRows) {
    const rows = await parquetReadObjects({
      file: buffer,
      columns: [...columns],
      compressors,
      rowStart: from,
      rowEnd: from + chunkRows,
    })
    if (rows.length > 0) yield rows.map(plain)
    if (rows.length < chunkRows) return
  }
}

async function* csv(file: string): AsyncGenerator<readonly Row[]> {
  const parser = parse({ columns: true, bom: true, max_record_size: 1 << 20 })
  // `pipeline` hands an error of the file on to the parser, where the loop below hears of it.
  pipeline(createReadStream(file), parser, () => undefined)
  let chunk: Row[] = []
  for await (const row of parser as AsyncIterable<Record<string, string>>) {
    chunk.push(row)
    if (chunk.length === chunkRows) {
      yield chunk
      chunk = []
    }
  }
  if (chunk.length > 0) yield chunk
}

async function* arrow(file: string, columns: readonly string[]): AsyncGenerator<readonly Row[]> {
  const table = tableFromIPC(readFileSync(file))
  const names = table.schema.fields.map(({ name }) => name)
  const missing = columns.filter((name) => !names.includes(name))
  if (missing.length > 0)
    throw new UsageError(`${file}: there is no column "${missing.join('", "')}"; columns are ${names.join(', ')}`)
  const vectors = columns.map((name) => [name, table.getChild(name)] as const)
  for (let from = 0; from < table.numRows; from += chunkRows) {
    const rows: Row[] = []
    for (let row = from; row < Math.min(table.numRows, from + chunkRows); row++) {
      rows.push(plain(Object.fromEntries(vectors.map(([name, vector]) => [name, vector?.get(row) as unknown]))))
    }
    yield rows
  }
}

function plain(row: Record<string, unknown>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, cell(value)]))
}

function cell(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return value.getTime()
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : String(value)
}
