import type { DeploymentRow, Envelope } from '../src/api.ts'
import { AttentionPill } from './pill.tsx'
import { percent, shortVersion } from './words.ts'

const order = ['act-now', 'not-watched', 'watch', 'handled', 'healthy']

/** Every deployment, those first that ask for something. */
export function FleetList({
  rows,
  error,
}: {
  readonly rows: Envelope<readonly DeploymentRow[]> | null
  readonly error: Error | null
}) {
  if (error !== null && rows === null) return <p role="alert">The list could not be loaded: {error.message}</p>
  if (rows === null) return <p className="muted">Loading the deployments…</p>
  if (rows.body.length === 0) {
    return (
      <section className="card empty">
        <h2>No deployment is registered yet</h2>
        <p>
          Put a file into the deployments folder and start <code>interlock up</code> again, or see one at work with{' '}
          <code>interlock demo</code>.
        </p>
      </section>
    )
  }
  const sorted = [...rows.body].sort((a, b) => order.indexOf(a.attention) - order.indexOf(b.attention))
  return (
    <ul className="fleet">
      {sorted.map((row) => (
        <li key={row.deployment} className="card">
          <AttentionPill attention={row.attention} />
          <a href={`/d/${encodeURIComponent(row.deployment)}`}>{row.deployment}</a>
          <p>{row.sentence}</p>
          {row.exceptions.map((text) => (
            <p key={text} className="muted">
              {text}
            </p>
          ))}
          <span className="muted">
            {shortVersion(row.stable)} answers
            {row.candidate !== null && `, ${shortVersion(row.candidate)} at ${percent(row.share)}`}
          </span>
        </li>
      ))}
    </ul>
  )
}
