import type { Attention } from '@interlock/contracts'
import type { DeploymentPage, RollbackPlan } from '../src/api.ts'
import type { Freshness } from '../src/freshness.ts'
import { AttentionPill } from './pill.tsx'
import { clock, span } from './words.ts'

interface StandingProps {
  readonly page: DeploymentPage
  readonly plan: RollbackPlan | null
  readonly attention: Attention
  readonly freshness: Freshness
  readonly evaluatedTo: number | null
  readonly now: number
  readonly onRollBack: () => void
  readonly onWhy: () => void
}

/** Is it all right, what happened, is anything asked of me: the part that is read in five seconds. */
export function Standing({ page, plan, attention, freshness, evaluatedTo, now, onRollBack, onWhy }: StandingProps) {
  const { state, alerts } = page
  const isOwn = attention === state.attention
  const [alert] = alerts
  // A button that would do nothing says why.
  const isUnderWay = state.command !== null && state.command.order[2] === 3 && state.command.state !== 'verified'
  const why = plan === null || plan.possible.ok || isUnderWay ? null : plan.possible.sentence
  const asked = isOwn && alert !== undefined && alert.attention === state.attention ? alert.asked : null
  const decided = page.decisions[0]
  const cause = causeOf(page)
  return (
    <section className={`standing standing-${attention}`} aria-label="Where it stands">
      <div className="standing-head">
        <h1>{page.deployment}</h1>
        <AttentionPill attention={attention} large />
        <div className="standing-act">
          <button
            type="button"
            className="button button-danger"
            aria-disabled={why !== null}
            aria-describedby={why === null ? undefined : 'why-not'}
            onClick={() => why === null && onRollBack()}
            aria-keyshortcuts="r"
          >
            {isUnderWay ? 'Watch the rollback' : 'Roll back…'}
          </button>
          {why !== null && (
            <p id="why-not" className="muted">
              {why}
            </p>
          )}
        </div>
      </div>
      <p className="sentence">{sentenceNow(state.sentence, freshness, evaluatedTo, now, isOwn)}</p>
      {cause !== null && <p className="cause">Because: {cause}</p>}
      {(state.exceptions ?? []).map((text) => (
        <p key={text} className="cause">
          {text}
        </p>
      ))}
      <p className="muted">
        {decided !== undefined && (
          <>
            Last decision at {clock(decided.at)} UTC, {span(now - decided.at)} ago.{' '}
          </>
        )}
        <button type="button" className="link" onClick={onWhy} aria-keyshortcuts="w">
          Why?
        </button>
      </p>
      {asked !== null && (
        <p className="asked">
          <strong>Asked of you:</strong> {asked}
        </p>
      )}
      {state.blocked.length > 0 && (
        <div className="blocked">
          <h2>Why it does not move on now</h2>
          <ol>
            {[...new Set(state.blocked)].map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ol>
        </div>
      )}
    </section>
  )
}

/** Why the machine or a person went back, where the sentence on top tells what became of it and not the cause. */
function causeOf({ state, because }: DeploymentPage): string | null {
  const cause = because?.facts.because
  const isAct = state.command !== null && state.command.order[2] > 0
  return isAct && typeof cause === 'string' && !state.sentence.includes(cause) ? cause : null
}

function sentenceNow(
  sentence: string,
  freshness: Freshness,
  evaluatedTo: number | null,
  now: number,
  isOwn: boolean,
): string {
  if (evaluatedTo === null) return isOwn ? sentence : 'Nothing was evaluated yet, so nothing can be said of it.'
  if (isOwn) return sentence
  return freshness === 'late'
    ? `The last evaluation ended ${span(now - evaluatedTo)} ago, later than usual. Before that: ${sentence}`
    : `It is not watched since ${clock(evaluatedTo)} UTC: nothing was evaluated for ${span(now - evaluatedTo)}. Before that: ${sentence}`
}
