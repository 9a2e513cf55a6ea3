import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** A real detector with its own options, as `alarms.py` builds it. */
export interface RealSetting {
  readonly name: string
  readonly library: 'river' | 'frouros'
  readonly detector: string
  readonly options: Readonly<Record<string, number | string>>
}
export interface PeerStream {
  readonly id: string
  readonly values: readonly number[]
}
export interface PeerAlarms {
  readonly versions: Readonly<Record<string, string>>
  /** Index of the first alarm; null: none. */
  readonly alarms: readonly { readonly name: string; readonly stream: string; readonly alarm: number | null }[]
}

/**
 * First alarms of real libraries, from a Python that has `requirements.txt`.
 *
 * @returns what was missing, as a sentence, where there is no such Python
 */
export async function realAlarms(
  python: string,
  settings: readonly RealSetting[],
  streams: readonly PeerStream[],
): Promise<PeerAlarms | string> {
  const child = spawn(python, [join(import.meta.dirname, 'alarms.py')], { stdio: ['pipe', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  // A Python that ends before it has read all of its input is told by its exit code.
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify({ settings, streams }))
  const code = await new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (status) => resolve(status ?? 'killed'))
  })
  if (code === 0) return JSON.parse(output) as PeerAlarms
  return `real peers left out: ${python} ended with ${code}: ${errors.trim().split('\n').at(-1) ?? ''}`
}
