import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { BaselineDocument, ManifestDocument, Prediction } from '@interlock/contracts'

/** A rollout of a version that goes wrong, as it was once: real flights, scored and answered by both models. */
export interface Recording {
  readonly startMs: number
  readonly quantumMs: number
  /** The first quantum is 0. */
  readonly quanta: number
  readonly rolloutAt: number
  /** Events by the quantum in which they were sent, in the order in which they were. */
  readonly batches: readonly { readonly quantum: number; readonly rows: readonly Prediction[] }[]
  readonly stable: { readonly manifest: ManifestDocument; readonly baseline: BaselineDocument }
  readonly candidate: { readonly manifest: ManifestDocument; readonly baseline: BaselineDocument }
  /** policy.yaml */
  readonly policy: string
}

const file = join(import.meta.dirname, 'recording.json.gz')

export function readRecording(): Recording {
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Recording
}

export function writeRecording(recording: Recording): void {
  writeFileSync(file, gzipSync(JSON.stringify(recording), { level: 9 }))
}
