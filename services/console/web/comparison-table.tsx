import type { Verdict } from '@interlock/contracts'
import type { ComparedVersion, DeploymentPage } from '../src/api.ts'
import { type Freshness, verdictNow } from '../src/freshness.ts'
import { clock, count, percent, shortVersion } from './words.ts'

interface Measure {
  readonly name: string
  /** Signal of the rule whose verdict is the row's word. */
  readonly signal: string
  readonly unit: 'share' | 'ms'
  read(version: ComparedVersion, page: DeploymentPage): number | null
}

const measures: readonly Measure[] = [
  { name: 'Errors', signal: 'errors', unit: 'share', read: ({ rows, errors }) => (rows === 0 ? null : errors / rows) },
  {
    name: 'Half are answered within',
    signal: 'latency-over(p50)',
    unit: 'ms',
    read: (of) => of.latencyMs?.p50 ?? null,
  },
  { name: '9 in 10 within', signal: 'latency-over(p90)', unit: 'ms', read: (of) => of.latencyMs?.p90 ?? null },
  { name: '99 in 100 within', signal: 'latency-over(p99)', unit: 'ms', read: (of) => of.latencyMs?.p99 ?? null },
]

/** The version on trial beside the one it would replace, over the same windows. */
export function ComparisonTable({ page, freshness }: { readonly page: DeploymentPage; readonly freshness: Freshness }) {
  const { comparison, state } = page
  const prior = comparison?.versions.find(({ version }) => version === state.view.stable)
  const current = comparison?.versions.find(({ version }) => version !== state.view.stable)
  if (comparison === null || prior === undefined) {
    return (
      <section className="card" aria-labelledby="compared">
        <h2 id="compared">New version against the old</h2>
        <p className="muted">No whole window was evaluated yet, so nothing can be compared.</p>
      </section>
    )
  }
  const rows = [...measures, ...classMeasures(page)]
  const [name, old] = [shortVersion(current?.version ?? null), shortVersion(prior.version)]
  return (
    <section className="card" aria-labelledby="compared">
      <h2 id="compared">{current === undefined ? `How ${old} does` : `${name} against ${old}`}</h2>
      <p className="muted">
        {comparison.panes} windows from {clock(comparison.from)} to {clock(comparison.to)} UTC, the same for both.
        {current === undefined && ' No other version has traffic to compare with.'}
        {current?.lastRows != null &&
          current.lastRows < comparison.to &&
          ` ${name} last answered at ${clock(current.lastRows)}.`}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: on a phone it scrolls, and must be reachable for the keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label="Measures of both versions">
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span className="unseen">Measure</span>
              </th>
              {current !== undefined && (
                <th scope="col" className="series-candidate">
                  {name} (new)
                </th>
              )}
              <th scope="col" className="series-stable">
                {old}
              </th>
              {current !== undefined && <th scope="col">Difference</th>}
              {current !== undefined && <th scope="col">What the rules say</th>}
            </tr>
          </thead>
          <tbody>
            {rows.map((measure) => (
              <Row
                key={measure.name}
                measure={measure}
                page={page}
                current={current}
                prior={prior}
                freshness={freshness}
              />
            ))}
            <tr>
              <th scope="row">Answers counted</th>
              {current !== undefined && <td>{count(current.rows)}</td>}
              <td>{count(prior.rows)}</td>
              {current !== undefined && <td />}
              {current !== undefined && <td />}
            </tr>
          </tbody>
        </table>
      </section>
    </section>
  )
}

/** What the model says: the share of its first class, which is the one that people wait for. */
function classMeasures({ classes }: DeploymentPage): readonly Measure[] {
  const [first] = classes
  if (first === undefined) return []
  return [
    {
      name: `Predicted “${first}”`,
      signal: 'predictions',
      unit: 'share',
      read: ({ predictions }) => {
        const all = predictions.reduce((sum, one) => sum + one, 0)
        return all === 0 ? null : (predictions[0] ?? 0) / all
      },
    },
  ]
}

interface RowProps {
  readonly measure: Measure
  readonly page: DeploymentPage
  readonly current: ComparedVersion | undefined
  readonly prior: ComparedVersion
  readonly freshness: Freshness
}

function Row({ measure, page, current, prior, freshness }: RowProps) {
  const now = current === undefined ? null : measure.read(current, page)
  const before = measure.read(prior, page)
  return (
    <tr>
      <th scope="row">{measure.name}</th>
      {current !== undefined && <td>{told(now, measure.unit)}</td>}
      <td>{told(before, measure.unit)}</td>
      {current !== undefined && <td>{difference(now, before, measure.unit)}</td>}
      {current !== undefined && <td>{wordOf(measure, current, page, freshness)}</td>}
    </tr>
  )
}

function told(value: number | null, unit: Measure['unit']): string {
  if (value === null) return '–'
  return unit === 'share' ? percent(value, 2) : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

function difference(now: number | null, before: number | null, unit: Measure['unit']): string {
  if (now === null || before === null) return '–'
  const by = now - before
  const digits = unit === 'share' ? 2 : Math.abs(by) < 10 ? 1 : 0
  const size = Math.abs(unit === 'share' ? by * 100 : by).toFixed(digits)
  if (Number(size) === 0) return 'the same'
  return `${by < 0 ? '−' : '+'}${size} ${unit === 'share' ? 'points' : 'ms'}`
}

const words: Readonly<Record<Verdict, string>> = {
  pass: 'no worse',
  watch: 'may be worse',
  breach: 'worse',
  inconclusive: 'not yet known',
  'no-data': 'not watched',
}

/** The word of the rule that watches this, or that none does: a difference alone is no verdict. */
function wordOf({ signal }: Measure, { version }: ComparedVersion, page: DeploymentPage, freshness: Freshness): string {
  const rule = page.policy?.policy.guardrails.find((one) => one.signal === signal)
  if (rule === undefined) return 'no rule'
  const judged = page.state.verdicts.find((one) => one.guardrail === rule.id && one.version === version)
  if (judged !== undefined) return words[verdictNow(judged.verdict, freshness)]
  return page.because?.guardrail?.guardrail === rule.id ? words.breach : 'no longer judged'
}
