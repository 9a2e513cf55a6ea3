import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Bug } from './bug.ts'
import { bugs } from './bugs.ts'

/**
 * Looks for a seed that catches each bug: `node test/simulation/hunt.ts [name …]`. Prints what to write into bugs.ts. With
 * `--replay` it only asks whether the seed that stands there still catches it.
 */
export interface Caught {
  readonly name: string
  readonly seed: number | null
  readonly invariant: string | null
  readonly minutes: number
  readonly text: string
}

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const loader = new URL('./bug-loader.ts', import.meta.url).href

/** Runs a bug in a process of its own. @param seeds which to try, in this order, until one catches it */
export function tryBug({ name, faults, minutes }: Bug, seeds: readonly number[], withinMs: number): Promise<Caught> {
  const args = ['--import', loader, main, '--json', '--seed', seeds.join(','), '--minutes', String(minutes)]
  args.push('--faults', faults.join(','), '--stop-after-ms', String(withinMs))
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env: { ...process.env, INTERLOCK_TEST_BUG: name } })
    let out = ''
    let errors = ''
    child.stdout.on('data', (data) => {
      out += data
    })
    child.stderr.on('data', (data) => {
      errors += data
    })
    child.on('close', () => {
      try {
        const { seed, violation } = JSON.parse(out) as {
          seed: number | null
          violation: { invariant: string; at: number; text: string } | null
        }
        const reached = Math.max(1, Math.ceil((violation?.at ?? 0) / 60_000 + 0.1))
        resolve({
          name,
          seed,
          invariant: violation?.invariant ?? null,
          minutes: Math.min(minutes, reached),
          text: violation?.text ?? 'nothing broke',
        })
      } catch {
        resolve({ name, seed: null, invariant: null, minutes, text: `it failed: ${errors.slice(-600)}` })
      }
    })
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2).filter((each) => !each.startsWith('--'))
  const isReplay = process.argv.includes('--replay')
  const queue = bugs.filter(({ name }) => names.length === 0 || names.includes(name))
  const next = async (): Promise<void> => {
    for (let bug = queue.shift(); bug !== undefined; bug = queue.shift()) {
      const seeds = isReplay ? [bug.seed] : Array.from({ length: 500 }, (_, index) => index + 1)
      const caught = await tryBug(bug, seeds, isReplay ? 120_000 : 70_000)
      process.stdout.write(`${JSON.stringify(caught)}\n`)
    }
  }
  await Promise.all([next(), next(), next(), next()])
}
