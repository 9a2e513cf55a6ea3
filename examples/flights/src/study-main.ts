/**
 * How far healthy days and faults lie from March, as Markdown tables: what tolerances have to clear.
 *
 *   node src/study-main.ts [days|arms|accuracy]
 */
import { dateOfDay, spans } from './data.ts'
import { divergence, divergenceByChance } from './drift.ts'
import { faultySource } from './faults.ts'
import { type Region, regions } from './regions.ts'
import { type CountsByRegion, studiedSignals, studyAccuracy, studyArms, studyDays } from './study.ts'
import { train } from './training.ts'

const part = process.argv[2]
const training = await train()
if (part === undefined || part === 'accuracy') {
  console.log('\n### AUC, April to June\n')
  for (const [name, auc] of await studyAccuracy(training)) console.log(`* ${name}: ${auc.toFixed(4)}`)
}
if (part === undefined || part === 'days') await printDays()
if (part === undefined || part === 'arms') {
  await printArms(7)
  await printArms(spans.live.to - spans.live.from)
}

async function printDays(): Promise<void> {
  const { baseline, days } = await studyDays(training)
  const healthyCount = studiedSignals.filter(({ fault }) => fault === null).length
  const rowsOver = (scope: readonly Region[], from: number, to: number) => {
    for (let index = from; index < to; index++) {
      const signal = studiedSignals[index]!
      const march = merged(baseline[studiedSignals.findIndex(({ name }) => name === signal.baseline)]!, scope)
      const found = days.map((counts, day) => ({
        value: divergence(march, merged(counts[index]!, scope)),
        chance: divergenceByChance(march, merged(counts[index]!, scope)),
        date: dateOfDay(spans.live.from + day),
      }))
      found.sort((left, right) => left.value - right.value)
      const at = (share: number) => found[Math.round(share * (found.length - 1))]!
      const name = signal.fault === null ? signal.name : `${signal.name}, fault ${signal.fault}`
      const where = scope.length === 1 ? `${scope[0]}: ` : ''
      const figures = [at(0.5).chance, at(0).value, at(0.5).value, at(0.95).value, at(1).value].map(shown)
      console.log(`| ${where}${name} | ${figures.join(' | ')} | ${at(1).date} |`)
    }
  }
  heading('KL(March ‖ day), nats, over the 91 days of April to June', 'signal')
  rowsOver(regions, 0, studiedSignals.length)
  heading('The same by producer', 'producer: signal')
  for (const region of regions.slice(0, -1)) rowsOver([region], 0, healthyCount)
  heading(`Faults at the producer ${faultySource}`, 'producer: signal')
  rowsOver([faultySource], healthyCount, studiedSignals.length)
}

async function printArms(dayCount: number): Promise<void> {
  const shares = [0.01, 0.05, 0.1, 0.25, 0.5]
  const { signals, arms, units, rows } = await studyArms(training, shares, dayCount)
  console.log(
    `\n### KL(stable ‖ candidate), nats, both healthy, ${dayCount} days together (${rows} rows, ${units} units)\n`,
  )
  console.log(`| signal | ${arms.map(({ share }) => `share ${share}`).join(' | ')} |`)
  console.log(`|---|${arms.map(() => '---|').join('')}`)
  signals.forEach(({ name }, index) => {
    const cells = arms.map(({ stable, candidate }) => {
      const [one, other] = [stable[index]!, candidate[index]!]
      return `${shown(divergence(one, other))} (chance ${shown(divergenceByChance(one, other))})`
    })
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  })
}

function heading(title: string, first: string): void {
  console.log(`\n### ${title}\n`)
  console.log(`| ${first} | by chance | least | median | 95 % | most | on |\n|---|---|---|---|---|---|---|`)
}

function merged(counts: CountsByRegion, scope: readonly Region[]): Float64Array {
  const total = new Float64Array(counts.get('other')!.length)
  for (const region of scope) {
    const own = counts.get(region)!
    for (let bin = 0; bin < total.length; bin++) total[bin]! += own[bin]!
  }
  return total
}

function shown(value: number): string {
  return value.toFixed(value < 0.1 ? 4 : 3)
}
