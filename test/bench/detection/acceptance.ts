import type { Measured } from './measure.ts'
import type { Report } from './report.ts'
import { between, percent, short } from './words.ts'

export interface Verdict {
  readonly asked: string
  readonly measured: string
  /**
   * undecided: nothing refutes it, but too little was drawn, or a detector that it speaks of is not there. outside the product: only
   * a method of this bench does it.
   */
  readonly verdict: 'holds' | 'falls short' | 'undecided' | 'outside the product' | 'not measured here'
  readonly why: string
}

const least = { weak: 0.8, strong: 0.7, natsOfStrong: 1 }
const canariesAsked = (alpha: number): number => (alpha < 0.01 ? 50_000 : 2_000)
const controlPanes = 10_000
const most = { canary: 1.15, oracle: 1.25, early: 1.2, falseDays: 0.05 }
const foundDays = { one: 0.6, three: 0.95 }

const ours = (rows: readonly Measured[], setting: Measured['setting']): Measured[] =>
  rows.filter((row) => row.whose === 'ours' && row.setting === setting && row.delay !== null)

/** What the thresholds ask, what this report measured, and whether it holds; each verdict follows from the numbers alone. */
export function acceptance(report: Report): readonly Verdict[] {
  return [
    runLengths(report),
    efficiency(report),
    canaries(report),
    againstPeers(report),
    controls(report),
    {
      asked: '(6) the same bytes for 1, 4 and 16 partitions and on replay',
      measured: '–',
      verdict: 'not measured here',
      why: 'tests in `test/equality` compare them byte for byte',
    },
    realDays(report),
    errorRates(report),
    earlyAlarms(report),
  ]
}

/** @param open what keeps the question open although nothing failed */
function judged(asked: string, measured: string, failures: readonly string[], open: readonly string[] = []): Verdict {
  const verdict = failures.length > 0 ? 'falls short' : open.length > 0 ? 'undecided' : 'holds'
  return { asked, measured, verdict, why: [...failures, ...open].join('; ') }
}

const notThere = ({ absent }: Report): readonly string[] =>
  absent.length === 0 ? [] : [`the product had no ${absent.map((id) => `\`${id}\``).join(', no ')}`]

function runLengths({ promises }: Report): Verdict {
  const asked = promises.filter(({ noise }) => !noise.startsWith('AR .9'))
  const lacking = asked.filter(({ length, nominal }) => length.low < nominal)
  const [refuted, open] = [true, false].map((isRefuted) =>
    lacking
      .filter(({ length, nominal }) => (length.high !== null && length.high < nominal) === isRefuted)
      .map(({ detector, noise, nominal, length }) => {
        return `\`${detector}\`, ${noise}: ${between(length.mean, length.low, length.high)} of ${nominal}${isRefuted ? '' : ' (open)'}`
      }),
  ) as [string[], string[]]
  return judged(
    '(1) run length at least the promised one (lower bound) on independent, clumped (φ ≤ 3) and AR .5 streams',
    `${asked.length - lacking.length} of ${asked.length} cells`,
    refuted,
    open,
  )
}

function efficiency(report: Report): Verdict {
  const { power } = report
  const cells = ours(power, 'calibrated').filter(({ best }) => best !== null)
  const of = (row: Measured): number => row.best! / row.delay!.mean.value
  const bad = cells.filter((row) => of(row) < (row.nats! > least.natsOfStrong ? least.strong : least.weak))
  return judged(
    '(2) efficiency D*/delay, calibrated, at least .8 (.7 above one nat a pane)',
    `${cells.length - bad.length} of ${cells.length} cells`,
    bad.map((row) => `${row.family} ${row.change} at ${row.run}, \`${row.chart}\`: ${short(of(row))}`),
    notThere(report),
  )
}

function canaries({ stops, canaryDelays }: Report): Verdict {
  return judged(
    `(3) healthy canaries stopped at most α; delay at a doubled rate at most ${most.canary} × ln(1/α)/KL`,
    [
      ...stops.map(({ alpha, rate, low, high }) => `α ${alpha}: ${between(rate, low, high)}`),
      ...canaryDelays.map(({ alpha, overIdeal }) => `α ${alpha}: ${overIdeal.toFixed(2)} ×`),
    ].join('; '),
    [
      ...stops.filter(({ alpha, rate }) => rate > alpha).map(({ alpha }) => `too many stopped at α ${alpha}`),
      ...canaryDelays
        .filter(({ overIdeal }) => overIdeal > most.canary)
        .map(
          ({ alpha, overIdeal }) =>
            `α ${alpha}: ${overIdeal.toFixed(2)} ×; the price of not knowing ratio or start, which weighs more where few nats are asked`,
        ),
    ],
    stops
      .filter(({ alpha, canaries: drawn }) => drawn < canariesAsked(alpha))
      .map(
        ({ alpha, canaries: drawn }) => `${short(drawn)} canaries at α ${alpha}, asked ${short(canariesAsked(alpha))}`,
      ),
  )
}

function againstPeers(report: Report): Verdict {
  const { power } = report
  const asked = ['errors', 'latency', 'missing', 'surge']
  const cells = ours(power, 'calibrated').filter(
    ({ family, change }) => asked.includes(family) && /^[SM]$/.test(change),
  )
  const better = cells.flatMap((row) => {
    const rivals = power.filter(
      (other) =>
        other.family === row.family &&
        other.run === row.run &&
        other.change === row.change &&
        other.whose === 'peer' &&
        other.setting === 'calibrated' &&
        other.delay !== null &&
        other.delay.median.value < row.delay!.median.value,
    )
    return rivals.map(
      (rival) =>
        `${row.family} ${row.change} at ${row.run}: ${rival.chart} ${short(rival.delay!.median.value)} to ${short(row.delay!.median.value)}`,
    )
  })
  const beaten = new Set(better.map((words) => words.split(':')[0])).size
  return judged(
    '(4) no peer has a smaller median delay at the same run length (S and M; error, latency, missing, volume)',
    `${cells.length - beaten} of ${cells.length} cells`,
    better,
    asked.flatMap((family) =>
      ['S', 'M'].flatMap((size) =>
        cells.some((row) => row.family === family && row.change === size) ? [] : [`no figure for ${family} ${size}`],
      ),
    ),
  )
}

function controls({ controls: all }: Report): Verdict {
  const bad = all.filter(({ rollbacks }) => rollbacks > 0)
  return judged(
    '(5) no rollback on benign controls over 10,000 panes',
    all.map(({ control, panes, rollbacks }) => `${control}: ${rollbacks} in ${panes.toLocaleString('en')}`).join('; '),
    bad.map(({ control }) => control),
    all.filter(({ panes }) => panes < controlPanes).map(({ control }) => `${control}: too few panes`),
  )
}

function realDays({ days }: Report): Verdict {
  const best = days.find(({ whose }) => whose === 'ours')!
  const product = days.find(({ whose }) => whose === 'product')!
  const words = ({ rate, low, high, foundInADay, foundInThree }: typeof best): string =>
    `${percent(rate)} [${percent(low)}, ${percent(high)}]; ${percent(foundInADay)}; ${percent(foundInThree)}`
  const holds = ({ high, foundInADay, foundInThree }: typeof best): boolean =>
    high <= most.falseDays && foundInADay >= foundDays.one && foundInThree >= foundDays.three
  return {
    asked:
      '(7) healthy flight days alarming at most 5 % (upper bound); +5 minutes found on 60 % of days, 95 % within three',
    measured: `\`${product.method}\`: ${words(product)}. ${best.method}: ${words(best)}`,
    verdict: holds(product) ? 'holds' : holds(best) ? 'outside the product' : 'falls short',
    why: 'the second is told which fault to look for, and was chosen on these days: see "Real days"',
  }
}

function errorRates({ errorRates: rows }: Report): Verdict {
  const cells = ours(rows, 'calibrated').map((row) => {
    const oracle = rows.find(({ change, whose }) => whose === 'oracle' && change === row.change)!.delay!
    const { median, mean } = row.delay!
    return {
      words: `${row.change}: ${short(median.value / oracle.median.value)} × (mean ${short(mean.value / oracle.mean.value)} ×)`,
      isAbove: median.value > most.oracle * oracle.median.value,
      isRefuted: median.low > most.oracle * oracle.median.high,
    }
  })
  return judged(
    `(8) 1 → 1.5, 2, 5 % at a run length of 1,000: median delay at most ${most.oracle} × the oracle's`,
    cells.map(({ words }) => words).join('; '),
    cells.filter(({ isRefuted }) => isRefuted).map(({ words }) => words),
    cells
      .filter(({ isAbove, isRefuted }) => isAbove && !isRefuted)
      .map(({ words }) => `${words}, but the intervals of both medians allow it`),
  )
}

function earlyAlarms({ power }: Report): Verdict {
  const seen = new Map<string, number>()
  for (const { family, run, chart, length, whose, setting } of power) {
    if (whose === 'ours' && setting === 'calibrated' && length.early !== null)
      seen.set(`${family} at ${run}, \`${chart}\``, length.early)
  }
  const bad = [...seen].filter(([, early]) => early > most.early)
  return judged(
    `(9) share alarming in the first 100 panes at most ${most.early} × that of a memoryless alarm`,
    [...seen].map(([what, early]) => `${what}: ${short(early)}`).join('; '),
    bad.map(([what, early]) => `${what}: ${short(early)}`),
  )
}
