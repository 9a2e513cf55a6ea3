import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { BadEvent, type CountSpec, contentTypes, decodeEvents, type FieldMapping } from '@interlock/contracts'
import type { Row as EventRow } from '@interlock/scenario'
import { type Cell, type Row, readTable } from '../baseline/read-table.ts'
import type { Config } from '../config.ts'
import { readDeployments } from '../deployments.ts'
import { UsageError } from '../errors.ts'
import { openLog } from '../parts/log.ts'

/** Rows that are read at most: a recording is held in memory, some 1 KiB a row. */
const mostRows = 500_000

/**
 * Reads recorded prediction events: `log` is the predictions topic of the data folder or the cluster; `.jsonl` (also
 * `.jsonl.gz`) has one message of the topic a line; a table (.parquet, .csv, .arrow) has the columns of schemas/README.md
 * "Arrow layout of predictions".
 *
 * @throws UsageError naming file and line
 */
export async function recordedRows(where: string, spec: CountSpec, config: () => Config): Promise<readonly EventRow[]> {
  if (where === 'log') return rowsOfLog(config())
  const kind = extname(where.replace(/\.gz$/, '')).toLowerCase()
  return ['.jsonl', '.ndjson', '.json'].includes(kind) ? rowsOfLines(where) : rowsOfTable(where, spec)
}

function rowsOfLines(file: string): readonly EventRow[] {
  let text: string
  try {
    const bytes = readFileSync(file)
    text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  } catch (error) {
    throw new UsageError(`${file}: cannot be read (${error instanceof Error ? error.message : String(error)}).`)
  }
  const rows: EventRow[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || rows.length >= mostRows) continue
    try {
      rows.push(...decodeEvents('prediction', contentTypes.json, Buffer.from(line)))
    } catch (error) {
      if (!(error instanceof BadEvent)) throw error
      throw new UsageError(`${file}:${index + 1}:1  is no prediction event: ${error.message}`)
    }
  }
  return rows
}

const fields = [
  'id',
  'unit',
  'version',
  'variant',
  'status',
  'producer',
  'eventTimeMs',
  'prediction',
  'score',
  'latencyMs',
]

async function rowsOfTable(file: string, { features, segments }: CountSpec): Promise<readonly EventRow[]> {
  const held = [...features.map(({ name }) => `features.${name}`), ...segments.map(({ name }) => `segments.${name}`)]
  const rows: EventRow[] = []
  for await (const chunk of readTable(file, [...fields, ...held])) {
    for (const row of chunk) if (rows.length < mostRows) rows.push(rowOf(row, { features, segments }))
  }
  return rows
}

function rowOf(row: Row, { features, segments }: Pick<CountSpec, 'features' | 'segments'>): EventRow {
  const text = (name: string): string => String(row[name] ?? '')
  const number = (cell: Cell | undefined): number | null =>
    cell === null || cell === undefined || cell === '' || Number.isNaN(Number(cell)) ? null : Number(cell)
  const word = (cell: Cell | undefined): string | null =>
    cell === null || cell === undefined || cell === '' ? null : String(cell)
  return {
    ...{ id: text('id'), unit: text('unit'), version: text('version'), producer: text('producer') },
    ...{ environment: '', tenant: '', deployment: '', generation: 0 },
    variant: text('variant') as EventRow['variant'],
    status: text('status') as EventRow['status'],
    eventTimeMs: number(row.eventTimeMs) ?? 0,
    prediction: word(row.prediction),
    score: number(row.score),
    latencyMs: number(row.latencyMs),
    features: Object.fromEntries(
      features.map(({ name, kind }) => {
        const cell = row[`features.${name}`]
        return [name, kind === 'numeric' ? number(cell) : word(cell)]
      }),
    ),
    segments: Object.fromEntries(
      segments.flatMap(({ name }) => {
        const value = word(row[`segments.${name}`])
        return value === null ? [] : [[name, value]]
      }),
    ),
  }
}

async function rowsOfLog(config: Config): Promise<readonly EventRow[]> {
  const { log } = await openLog(config, 'policy')
  try {
    const rows: EventRow[] = []
    for (const { document } of readDeployments(config)) {
      const topic = document.topics.predictions
      for (let partition = 0; partition < (await log.partitions(topic)); partition++) {
        const { begin, end } = await log.bounds(topic, partition)
        for await (const { records } of log.read({ topic, partition, from: begin, to: end })) {
          for (const { value, headers } of records) {
            if (value === null || rows.length >= mostRows) continue
            rows.push(...decoded(headers['content-type'] ?? contentTypes.avro, value, document.mapping))
          }
        }
      }
    }
    return rows
  } finally {
    await log.close()
  }
}

/** What cannot be taken is the profiler's business; here it is left out. */
function decoded(contentType: string, bytes: Uint8Array, mapping: FieldMapping): readonly EventRow[] {
  try {
    return decodeEvents('prediction', contentType, bytes, { mapping })
  } catch (error) {
    if (error instanceof BadEvent) return []
    throw error
  }
}
