import { acceptance } from './acceptance.ts'
import { families } from './families.ts'
import { type Magnitude, type Measured, magnitudes } from './measure.ts'
import { type Line, plot } from './plot.ts'
import type { Report } from './report.ts'
import { between, percent, short, table } from './words.ts'

/** Families that are drawn. */
const drawn = ['errors', 'feature', 'surge']
const colours = ['#0b6e4f', '#c1121f', '#3a6ea5', '#e09f3e', '#7b2cbf', '#6c757d', '#b56576', '#2a9d8f']
const sizes = Object.keys(magnitudes) as Magnitude[]

/** The tables for a terminal. */
export function textOf(report: Report): string {
  return sections(report)
    .map(([title, text]) => `${title}\n\n${text}`)
    .join('\n\n')
}

/** The page and its plots, by their paths in docs/. */
export function filesOf(report: Report): readonly (readonly [path: string, text: string])[] {
  const plots = drawn.flatMap((family) => {
    const svg = delayPlot(report, family)
    return svg === null ? [] : [[`images/detection-${family}.svg`, svg] as const]
  })
  const images = plots.map(([path]) => `![Delay by size of the change](${path})`).join('\n\n')
  const body = sections(report)
    .map(([title, text]) => `## ${title}\n\n${text}${title.startsWith('Delay') ? `\n\n${images}` : ''}`)
    .join('\n\n')
  return [['detection.md', `${opening(report)}\n\n${body}\n`], ...plots]
}

function opening({ full, part, seed, seconds, absent }: Report): string {
  return `# Detection: how fast, how falsely

Made by \`npm run bench -- detection${full ? ' --full' : ''}${part < 1 ? ` --part=${part}` : ''} --write\` (seed ${seed}, ${short(seconds / 60)} minutes${full ? '' : '; a quick run, with a part of the streams'}); not edited by hand. Streams, peers and
scorer are in \`test/bench/detection\`. ${
    absent.length === 0
      ? ''
      : `Left out, since the product did not have them when this was measured: ${absent.map((id) => `\`${id}\``).join(', ')}.`
  }

- A **pane** is one step of a stream; delays are in panes and count the changed pane itself as 1. Intervals are at 95 %: Clopper–Pearson for run lengths and shares, bootstrap for delays.
- **Run length**: mean panes to a false alarm (censored exponential). \`calibrated\` thresholds reach the named one on the same healthy streams for every chart;
  \`nominal\` ones are published, or promised. Their calibration is itself uncertain by the interval of the run length.
- **D\\*** is the best mean delay that there can be, in Brownian approximation; the **oracle** is a CUSUM that knows the change, calibrated like the others. D\\* is for a change that
  meets a fresh chart at its worst moment; changes here come after 50 to 150 healthy panes unless "fresh" is said, which is kinder to every chart.
- XS, S, M and L are changes with D\\* of ${sizes.map((size) => magnitudes[size]).join(', ')} panes at that run length.`
}

function sections(report: Report): readonly (readonly [title: string, text: string])[] {
  const all = [
    ['Asked and measured', acceptanceTable(report)],
    ['Delay at equal run length', delayTables(report)],
    ['Nominal settings', nominalTable(report)],
    ['Error rates, 1 % of 100 requests, run length 1,000', errorTable(report)],
    ['Run lengths that are promised', promiseTable(report)],
    ['Subtle faults', subtleTable(report)],
    ['Canaries', canaryTable(report)],
    ['Benign controls', controlTable(report)],
    ['Real days', dayTable(report)],
    ['Real peers', realTable(report)],
  ] as const
  return all.filter(([, text]) => text !== '')
}

function acceptanceTable(report: Report): string {
  return table(
    ['asked', 'measured', 'verdict', 'why'],
    acceptance(report).map(({ asked, measured, verdict, why }) => [asked, measured, `**${verdict}**`, why]),
  )
}

function groupsOf(rows: readonly Measured[]): readonly (readonly Measured[])[] {
  return Object.values(Object.groupBy(rows, ({ family, run }) => `${family} ${run}`)).map((group) => group!)
}

const chartOrder: readonly Measured['whose'][] = ['oracle', 'ours', 'peer']

function chartsOf(rows: readonly Measured[]): readonly string[] {
  return [
    ...new Set(chartOrder.flatMap((whose) => rows.filter((row) => row.whose === whose).map(({ chart }) => chart))),
  ]
}

function delayWords(row: Measured | undefined): string {
  const delay = row?.delay
  if (delay === null || delay === undefined) return '–'
  const missed = delay.missed > 0 ? `, ${percent(delay.missed)} missed` : ''
  return `${between(delay.mean.value, delay.mean.low, delay.mean.high)}, ${short(delay.median.value)}, ${short(delay.p90)}${missed}`
}

function delayTables({ power }: Report): string {
  const words = groupsOf(power).map((rows) => {
    const { family, run } = rows[0]!
    const calibrated = rows.filter(({ setting }) => setting === 'calibrated')
    const changes = [...new Set(calibrated.map(({ change }) => change))]
    const body = chartsOf(calibrated).map((chart) => {
      const of = calibrated.filter((row) => row.chart === chart)
      const { whose, length } = of[0]!
      const known = whose === 'oracle' ? '–' : between(length.mean, length.low, length.high)
      const cells = changes.map((change) => delayWords(of.find((row) => row.change === change)))
      return [whose === 'ours' ? `**${chart}**` : chart, known, ...cells]
    })
    const best = changes.map((change) => {
      const row = calibrated.find((one) => one.change === change)!
      return row.best === null ? change : `${change}, D* ${short(row.best)}`
    })
    const title = families.find(({ id }) => id === family)!.title
    return `### ${title[0]!.toUpperCase()}${title.slice(1)}: run length ${short(run)}\n\n${table(['chart', 'run length', ...best], body)}`
  })
  return `Each cell: mean [interval], median, 90 %, share missed (counted as the horizon in the mean).\n\n${words.join('\n\n')}`
}

function nominalTable({ power }: Report): string {
  const rows = power.filter(({ setting, change, run }) => setting === 'nominal' && change === 'M' && run === 500)
  return table(
    ['stream', 'chart', 'run length', 'first 100 panes, × memoryless', 'delay at M'],
    rows.map((row) => [
      row.family,
      row.whose === 'ours' ? `**${row.chart}** at 500` : row.chart,
      row.length.mean === null
        ? `no alarm in ${short(row.length.panes)}`
        : between(row.length.mean, row.length.low, row.length.high),
      short(row.length.early),
      delayWords(row),
    ]),
  )
}

function errorTable({ errorRates: rows }: Report): string {
  const calibrated = rows.filter(({ setting }) => setting === 'calibrated')
  const changes = [...new Set(calibrated.map(({ change }) => change))]
  return table(
    [
      'chart',
      ...changes.map((change) => `${change}, D* ${short(calibrated.find((row) => row.change === change)!.best)}`),
    ],
    chartsOf(calibrated).map((chart) => [
      chart,
      ...changes.map((change) => delayWords(calibrated.find((row) => row.chart === chart && row.change === change))),
    ]),
  )
}

function promiseTable({ promises }: Report): string {
  return `φ̂ is taken from 2,000 other healthy panes: dispersion of single panes, or of blocks of twenty, which also sees that neighbouring panes are alike.\n\n${table(
    ['detector', 'stream', 'healthy panes', 'φ̂', 'promised', 'run length', 'first 100 panes, × memoryless'],
    promises.map(({ detector, family, noise, phi, nominal, length }) => [
      `\`${detector}\``,
      family,
      noise,
      short(phi),
      short(nominal),
      length.mean === null
        ? `no alarm in ${short(length.panes)}, at least ${short(length.low)}`
        : between(length.mean, length.low, length.high),
      short(length.early),
    ]),
  )}`
}

function subtleTable({ subtle }: Report): string {
  if (subtle.length === 0) return ''
  const titles = [...new Set(subtle.map(({ title }) => title))]
  return table(
    ['fault', 'D* of its full size', 'chart', 'run length', 'delay'],
    titles.flatMap((title) => {
      const rows = subtle.filter((row) => row.title === title && row.setting === 'calibrated' && row.delay !== null)
      const peers = rows
        .filter(({ whose }) => whose === 'peer')
        .sort((a, b) => a.delay!.mean.value - b.delay!.mean.value)
      return [...rows.filter(({ whose }) => whose !== 'peer'), ...peers.slice(0, 2)].map((row) => [
        title,
        short(row.best),
        row.whose === 'peer' ? `${row.chart} (of the two best peers)` : row.chart,
        short(row.run),
        delayWords(row),
      ])
    }),
  )
}

function canaryTable({ stops, canaryDelays }: Report): string {
  return `Rates of candidate and stable compared in the same panes. Delays: errors doubled, half of the requests to each arm.\n\n${table(
    ['α', 'healthy canaries', 'stopped', 'share', 'requests to find twice, median', 'ln(1/α)/KL', 'ratio'],
    stops.map(({ alpha, canaries, stopped, rate, low, high }) => {
      const delay = canaryDelays.find((one) => one.alpha === alpha)!
      return [
        String(alpha),
        short(canaries),
        String(stopped),
        between(rate, low, high),
        short(delay.medianRequests),
        short(delay.idealRequests),
        delay.overIdeal.toFixed(2),
      ]
    }),
  )}`
}

function controlTable({ controls }: Report): string {
  return table(
    ['what happens to both arms', 'panes', 'rollouts', 'rollbacks'],
    controls.map(({ control, panes, rollouts, rollbacks }) => [
      control,
      short(panes),
      String(rollouts),
      String(rollbacks),
    ]),
  )
}

function dayTable({ days }: Report): string {
  return `Delay on arrival of three million flights, one window a day: days 29 to 181 of 2001 are judged, and stand for healthy, storms included. The fault adds five minutes to every flight of a day, or of
three in a row (history ends before the first). A bad-weather day moves the late flights; a fault that adds minutes moves the early ones too. So the first method looks at a day's log-odds
at nine cuts (deciles of the first 28 days) through the covariance of all earlier healthy days, in the direction in which the fault would move them: it must be told which kind of fault to look
for, and its form was chosen on these very days, among some sixty (single cuts, sets of cuts, shrinkage, length of history, hours of the day): no days are left to confirm it on. Forms
with cuts on one side alone, over all hours, found the fault on at most 74 % of days, with a limit known in hindsight. "Hotelling" is the same without a direction. "Known in hindsight" gives peers the limit that just keeps 5 % of these days, which nobody has.

${table(
  ['method', 'healthy days alarming', 'found in a day', 'within three'],
  days.map(({ method, rate, low, high, foundInADay, foundInThree }) => [
    method,
    `${percent(rate)} [${percent(low)}, ${percent(high)}]`,
    percent(foundInADay),
    percent(foundInThree),
  ]),
)}`
}

function realTable({ real }: Report): string {
  if (typeof real === 'string') return real
  return `The libraries themselves on standardised error rates that double after 300 panes; "same pane" counts the streams on which our re-implementation alarms at the very same pane.\n\n${table(
    ['detector', 'library', 'streams', 'alarm too early', 'median delay', 'missed', 'same pane'],
    real.map(({ name, version, streams, early, median, missed, agree }) => [
      name,
      version,
      String(streams),
      String(early),
      short(median),
      String(missed),
      agree === null ? 'draws differ' : `${agree} of ${streams}`,
    ]),
  )}`
}

function delayPlot({ power }: Report, family: string): string | null {
  const rows = power.filter(
    (row) =>
      row.family === family &&
      row.run === 500 &&
      row.setting === 'calibrated' &&
      row.best !== null &&
      row.delay !== null,
  )
  if (rows.length === 0) return null
  const lines = chartsOf(rows)
    .map((chart): Line => {
      const of = rows.filter((row) => row.chart === chart)
      return {
        name: chart,
        colour: of[0]!.whose === 'oracle' ? '#000' : '',
        dashed: of[0]!.whose === 'peer',
        points: of.map(({ best, delay }) => [best!, delay!.mean.value] as const),
      }
    })
    .slice(0, colours.length + 1)
    .map((line, index) => (line.colour === '' ? { ...line, colour: colours[(index - 1) % colours.length]! } : line))
  return plot(
    `${families.find(({ id }) => id === family)!.title}: mean delay`,
    'D* of the change, panes',
    'mean delay, panes',
    lines,
  )
}
