import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { filesOf, textOf } from './detection/page.ts'
import { measure, type Report } from './detection/report.ts'

/**
 * How fast and how falsely the product's detectors alarm, beside peers and the best that there can be, on streams with known
 * changes and on real days.
 *
 * `--full` draws what the thresholds ask for (else little, under a minute), `--part=.4` of it that part of the streams; `--seed=n` other streams; `--python=path` a
 * Python with test/peers/requirements.txt; `--json=file` keeps the report; `--write` makes docs/detection.md and its
 * plots of it; `--from=file` makes them of a report that was kept.
 */
export async function bench(flags: readonly string[]): Promise<void> {
  const option = (name: string): string | undefined =>
    flags.find((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3)
  const seed = Number(option('seed') ?? 1)
  if (!Number.isSafeInteger(seed)) throw new Error('--seed takes a whole number')
  const part = Number(option('part') ?? 1)
  if (!(part > 0 && part <= 1)) throw new Error('--part takes a number above 0 and up to 1')
  const from = option('from')
  const report =
    from === undefined
      ? await measure(flags.includes('--full'), part, seed, option('python') ?? 'python3', (what) =>
          console.error(what),
        )
      : (JSON.parse(readFileSync(from, 'utf8')) as Report)
  if (typeof report.real === 'string')
    console.error(`\n!!! ${report.real}\n!!! test/peers/requirements.txt says what it needs\n`)
  const keep = option('json')
  if (keep !== undefined) writeFileSync(keep, `${JSON.stringify(report)}\n`)
  if (flags.includes('--write')) {
    const docs = resolve(import.meta.dirname, '../../docs')
    for (const [name, text] of filesOf(report)) {
      const file = join(docs, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
  }
  console.log(textOf(report))
  console.log(JSON.stringify(report))
}
