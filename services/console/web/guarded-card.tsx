import type { GuardedMinutes } from '../src/api.ts'
import { type GapCause, gapWords, watchedPart } from '../src/guarded.ts'
import { useSlow } from './live.ts'
import { clock, shortVersion, span } from './words.ts'

/** Gaps of one version that are named with their time. */
const shownGaps = 3

/** How much of the time that a version served anybody really watched it. */
export function GuardedCard({ deployment }: { readonly deployment: string }) {
  const { body, error } = useSlow<GuardedMinutes>(`/api/v1/deployments/${encodeURIComponent(deployment)}/guarded`)
  return (
    <section className="card" aria-labelledby="guarded">
      <h2 id="guarded">Guarded minutes</h2>
      {body === null ? (
        <p className="muted">{error === null ? 'Loading…' : `It could not be loaded: ${error.message}`}</p>
      ) : (
        <Versions guarded={body} />
      )}
    </section>
  )
}

function Versions({ guarded }: { readonly guarded: GuardedMinutes }) {
  const { from, to, versions } = guarded
  if (versions.length === 0) return <p className="muted">Nothing has served yet, as far as is known here.</p>
  return (
    <>
      <p className="muted">
        {clock(from)} to {clock(to)} UTC
      </p>
      <ul className="guarded">
        {versions.map(({ version, servingMs, watchedMs, causes, gaps }) => (
          <li key={version}>
            <p>
              <strong>{shortVersion(version)}</strong> watched {watchedPart(watchedMs, servingMs)} of {span(servingMs)}
              {sums(causes)}.
            </p>
            {gaps.length > 0 && (
              <p className="muted">
                Last:{' '}
                {gaps
                  .slice(0, shownGaps)
                  .map((gap) => `${clock(gap.from)} for ${span(gap.to - gap.from)}, ${gapWords[gap.cause]}`)
                  .join('; ')}
                .
              </p>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}

function sums(causes: GuardedMinutes['versions'][number]['causes']): string {
  const parts = Object.entries(causes).map(([cause, ms]) => `${span(ms)} ${gapWords[cause as GapCause]}`)
  return parts.length === 0 ? ', without a gap' : `; gaps: ${parts.join(', ')}`
}
