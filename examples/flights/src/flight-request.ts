import type { FlightRequest } from './features.ts'

/** Most rows that one request may carry. */
export const maxBatchRows = 64

/** A body that is not what the router takes, worded for the caller. */
export class BadRequest extends Error {}

/**
 * Checks the body of `POST /predict`, `{"rows": [FlightRequest, …]}` with 1 to 64 rows.
 *
 * @throws BadRequest naming the row and the field
 */
export function parsePredictBody(body: unknown): readonly FlightRequest[] {
  const rows = (body as { rows?: unknown } | null)?.rows
  if (!Array.isArray(rows) || rows.length === 0 || rows.length > maxBatchRows) {
    const found = Array.isArray(rows) ? `${rows.length} rows` : 'no array'
    throw new BadRequest(`"rows" must hold 1 to ${maxBatchRows} rows, there is ${found}. Send larger lists in parts.`)
  }
  return rows.map((row: unknown, index) => parseRow(row, index))
}

function parseRow(row: unknown, index: number): FlightRequest {
  if (typeof row !== 'object' || row === null) throw new BadRequest(`rows[${index}] is no object`)
  const fields = row as Record<string, unknown>
  const word = (name: string): string => {
    const value = fields[name]
    if (typeof value === 'string' && value.length > 0 && value.length <= 128) return value
    throw new BadRequest(`rows[${index}].${name} must be a text of 1 to 128 characters`)
  }
  const number = (name: string): number => {
    const value = fields[name]
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
    throw new BadRequest(`rows[${index}].${name} must be a finite number, 0 or more`)
  }
  return {
    unit: word('unit'),
    flight: number('flight'),
    departureMs: number('departureMs'),
    origin: word('origin'),
    destination: word('destination'),
    distance: number('distance'),
    producer: word('producer'),
  }
}
