import { useMemo, useRef, useState } from 'react'
import type { DeploymentPage, EvidencePoint, Series } from '../src/api.ts'
import type { Freshness } from '../src/freshness.ts'
import { EvidenceBar } from './evidence-bar.tsx'
import { type JudgedRow, judgedRows } from './judged-rows.ts'
import { VerdictPill } from './pill.tsx'
import { Sparkline } from './sparkline.tsx'
import { count, shortVersion } from './words.ts'

/** Rules that are shown without asking; the rest is one press away. */
const shownFirst = 6

/** Every rule, worst first: what it forbids, where it stands, and how near the evidence is to its limit. */
export function GuardrailLedger({
  page,
  series,
  freshness,
}: {
  readonly page: DeploymentPage
  readonly series: Series
  readonly freshness: Freshness
}) {
  const [all, setAll] = useState(false)
  const [isHeld, setHeld] = useState(false)
  const rows = useSettled(judgedRows(page, freshness), isHeld)
  const lines = useMemo(() => linesOf(series.evidence), [series.evidence])
  const shown = all ? rows : rows.slice(0, shownFirst)
  const passed = rows.filter(({ verdict }) => verdict === 'pass').length
  return (
    <section
      className="card"
      aria-labelledby="ledger"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <h2 id="ledger">What may stop it</h2>
      <p className="muted">
        {passed} of {rows.length} checks are within their limits. The bar is evidence of harm on a logarithmic scale; at
        the line Interlock acts by itself.
      </p>
      <ul className="ledger">
        {shown.map((row) => (
          <Rule key={row.key} row={row} line={lines.get(row.key) ?? []} />
        ))}
      </ul>
      {rows.length > shownFirst && (
        <button type="button" className="button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show the first only' : `Show ${rows.length - shownFirst} more`}
        </button>
      )}
    </section>
  )
}

function Rule({ row, line }: { readonly row: JudgedRow; readonly line: readonly EvidencePoint[] }) {
  const { evidence, rule, name, version, verdict, sentence, words } = row
  const title = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
  return (
    <li className={`rule rule-${verdict}`}>
      <div className="rule-head">
        <h3>
          {title} <span className="muted">in {shortVersion(version)}</span>
        </h3>
        <VerdictPill verdict={verdict} />
      </div>
      <div className="rule-words">
        <p>{sentence === '' ? 'Nothing was evaluated for this rule yet.' : sentence}</p>
        <details>
          <summary>The rule</summary>
          <p>
            {words} It protects {rule.protects}.
          </p>
        </details>
      </div>
      {evidence === null ? (
        <p className="muted rule-evidence">No evidence yet.</p>
      ) : (
        <div className="rule-evidence">
          <EvidenceBar harm={evidence.evidence.logE.harm} limit={evidence.limit} name={title} />
          <Sparkline points={line} label={`Evidence about ${name} in ${shortVersion(version)} over time`} />
          <span className="muted rule-rows">{count(evidence.evidence.n)} rows</span>
        </div>
      )}
    </li>
  )
}

function linesOf(points: readonly EvidencePoint[]): ReadonlyMap<string, readonly EvidencePoint[]> {
  const lines = new Map<string, EvidencePoint[]>()
  for (const point of points) {
    const key = `${point.guardrail} ${point.version}`
    const line = lines.get(key)
    if (line === undefined) lines.set(key, [point])
    else line.push(point)
  }
  return lines
}

/** Rows keep their places while somebody points at them or is among them; what they say goes on changing. */
function useSettled(rows: readonly JudgedRow[], isHeld: boolean): readonly JudgedRow[] {
  const places = useRef<readonly string[]>([])
  if (!isHeld) places.current = rows.map(({ key }) => key)
  const place = (row: JudgedRow): number => {
    const at = places.current.indexOf(row.key)
    return at < 0 ? places.current.length : at
  }
  return isHeld ? [...rows].sort((a, b) => place(a) - place(b)) : rows
}
