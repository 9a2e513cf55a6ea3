/**
 * Writes recorded.vectors.json: what every method says of the cases in recorded-cases.ts, to the last bit.
 *
 *   node packages/statistics/src/generate-recorded.ts
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { recordedCases } from './recorded-cases.ts'

export const recordedFile = fileURLToPath(new URL('./recorded.vectors.json', import.meta.url))

/** A case as the file holds it. Numbers are written in full; what JSON has no word for is written as text. */
export function recordedOf(name: string): unknown {
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
    return value instanceof Float64Array ? [...value] : value
  }
  return JSON.parse(JSON.stringify(recordedCases[name]!(), plain))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = Object.keys(recordedCases).map((name) => `${JSON.stringify(name)}: ${JSON.stringify(recordedOf(name))}`)
  writeFileSync(recordedFile, `{\n${lines.join(',\n')}\n}\n`)
}
