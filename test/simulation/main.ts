import { constants, setPriority } from 'node:os'
import { parseArgs } from 'node:util'
import { allFaults, type FaultKind, faultKinds } from './fault-kinds.ts'
import { type Outcome, type RunOptions, run } from './run.ts'

/**
 * Simulates the whole system: `npm run simulate -- --seeds 100 | --seed 7 [--minutes 5] [--faults kill,pause] [--bug <name>]`.
 * Ends with 1 when an invariant broke, having printed what happened last and the one command that shows it again.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    faults: { type: 'string' },
    /** Applied by bug-loader.ts before this module was loaded; named here for the command that is printed. */
    bug: { type: 'string' },
    json: { type: 'boolean', default: false },
    'stop-after-ms': { type: 'string' },
    trace: { type: 'string', default: '40' },
    'no-shrink': { type: 'boolean', default: false },
  },
})

if (values.bug !== undefined && process.env.INTERLOCK_TEST_BUG !== values.bug) {
  // The bug must be there before the code is loaded: run again with the loader.
  const { spawnSync } = await import('node:child_process')
  const loader = new URL('./bug-loader.ts', import.meta.url).href
  const { status } = spawnSync(process.execPath, ['--import', loader, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, INTERLOCK_TEST_BUG: values.bug },
  })
  process.exit(status ?? 1)
}

// Long computations with clocks of their own give way to whatever must answer in time.
setPriority(constants.priority.PRIORITY_LOW)

const optionsOf = (seed: number): RunOptions => ({
  seed,
  ...(values.minutes === undefined ? {} : { minutes: Number(values.minutes) }),
  ...(values.faults === undefined ? {} : { faults: parseFaults(values.faults) }),
})
const seeds =
  values.seed === undefined
    ? Array.from({ length: Number(values.seeds ?? 20) }, (_, index) => Number(values.from) + index)
    : values.seed.split(',').map(Number)

const startedAt = performance.now()
const totals = { virtualMs: 0, seeds: 0 }
const happened = new Map<string, number>()
const figures = new Map<string, number>()
const most = new Map<string, number>()
let failing: Outcome | undefined
for (const seed of seeds) {
  if (values['stop-after-ms'] !== undefined && performance.now() - startedAt > Number(values['stop-after-ms'])) break
  const outcome = await run(optionsOf(seed))
  totals.virtualMs += outcome.virtualMs
  totals.seeds += 1
  for (const [row, count] of outcome.happened) happened.set(row, (happened.get(row) ?? 0) + count)
  for (const [what, count] of outcome.most) most.set(what, Math.max(most.get(what) ?? 0, count))
  for (const [name, count] of Object.entries(outcome.figures)) figures.set(name, (figures.get(name) ?? 0) + count)
  if (outcome.violations.length === 0) continue
  failing = outcome
  break
}
const cpu = process.cpuUsage()
const report = {
  seeds: totals.seeds,
  simulatedHours: totals.virtualMs / 3_600_000,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  speed: totals.virtualMs / ((cpu.user + cpu.system) / 1e3),
  peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1_024),
  figures: Object.fromEntries(figures),
  most: Object.fromEntries(most),
  faults: Object.fromEntries([...happened].sort(([a], [b]) => byRow(a, b))),
  violation: failing?.violations[0] ?? null,
  seed: failing?.seed ?? null,
  traceHash: failing?.traceHash ?? null,
}
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`)
else {
  if (failing !== undefined) tell(failing)
  else if (seeds.length === 1) process.stdout.write(`seed ${seeds[0]}: every invariant held\n`)
  process.stdout.write(
    `${report.seeds} seeds, ${report.simulatedHours.toFixed(2)} simulated hours, ${report.speed.toFixed(0)} times as fast as time on one core\n`,
  )
  process.stdout.write(
    `${Object.entries(report.figures)
      .map(([name, count]) => `${name} ${count}`)
      .join(
        ', ',
      )}\nat most: ${[...most].map(([what, count]) => `${what} ${count}`).join(', ')}\n\nfaults by row of docs/reliability.md §4\n`,
  )
  for (const [row, count] of Object.entries(report.faults)) process.stdout.write(`  ${row.padEnd(52)} ${count}\n`)
}
if (failing !== undefined && !values.json && !values['no-shrink']) await shrink(failing)
process.exit(failing === undefined ? 0 : 1)

/** What happened last to the thing that went wrong. */
function tell({ seed, violations, trace }: Outcome): void {
  const [first] = violations
  if (first === undefined) return
  const clock = (ms: number): string => `${(ms / 1_000).toFixed(3)} s`
  process.stdout.write(
    `seed ${seed}: ${first.invariant} broke at ${clock(first.at)}, about ${first.about}\n  ${first.text}\n\n`,
  )
  const concerns = (about: string): boolean =>
    about === first.about ||
    about === 'weather' ||
    first.about.startsWith(about) ||
    about.startsWith(first.about.split('/')[0]!)
  const lines = trace.filter(({ at, about }) => at <= first.at && concerns(about)).slice(-Number(values.trace))
  for (const { at, about, text } of lines)
    process.stdout.write(`  ${clock(at).padStart(12)}  ${about}: ${text.slice(0, 200)}\n`)
  process.stdout.write(`\nagain: ${command({ seed })}\n\n`)
}

/** The same with fewer kinds of fault and less time, as long as it still breaks the same invariant. */
async function shrink(found: Outcome): Promise<void> {
  const invariant = found.violations[0]?.invariant
  let { faults, minutes } = found
  const breaks = async (given: { readonly faults: readonly FaultKind[]; readonly minutes: number }): Promise<boolean> =>
    (await run({ seed: found.seed, ...given })).violations[0]?.invariant === invariant
  for (const kind of found.faults) {
    const fewer = faults.filter((each) => each !== kind)
    if (await breaks({ faults: fewer, minutes })) faults = fewer
  }
  const reached = Math.ceil((found.violations[0]?.at ?? 0) / 60_000)
  for (const shorter of [reached, Math.ceil(reached / 2)]) {
    if (shorter < minutes && shorter > 0 && (await breaks({ faults, minutes: shorter }))) minutes = shorter
  }
  if (faults.length === found.faults.length && minutes === found.minutes) return
  process.stdout.write(`shrunk: ${command({ seed: found.seed, faults, minutes })}\n`)
}

function command({ seed, faults, minutes }: { seed: number; faults?: readonly FaultKind[]; minutes?: number }): string {
  const asked = faults ?? (values.faults === undefined ? undefined : parseFaults(values.faults))
  const time = minutes ?? values.minutes
  return [
    `npm run simulate -- --seed ${seed}`,
    ...(time === undefined ? [] : [`--minutes ${time}`]),
    ...(asked === undefined ? [] : [`--faults '${asked.join(',')}'`]),
    ...(values.bug === undefined ? [] : [`--bug '${values.bug}'`]),
  ].join(' ')
}

function parseFaults(text: string): readonly FaultKind[] {
  const kinds = text === '' ? [] : text.split(',')
  const strange = kinds.find((kind) => !Object.hasOwn(faultKinds, kind))
  if (strange !== undefined) throw new Error(`there is no fault "${strange}"; kinds are ${allFaults.join(', ')}`)
  return kinds as readonly FaultKind[]
}

function byRow(a: string, b: string): number {
  const number = (row: string): number => Number(/^F(\d+)/.exec(row)?.[1] ?? 99)
  return number(a) - number(b) || (a < b ? -1 : 1)
}
