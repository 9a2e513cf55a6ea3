import type { DeploymentPage } from '../src/api.ts'
import type { Freshness } from '../src/freshness.ts'
import { count, percent, shortVersion, span } from './words.ts'

/** Fewer answers in the newest pane say nothing of a share. */
const tellingRows = 30

/** How far the rollout came: stages, the share that was ordered and the one that is seen, rows and time of this stage. */
export function StagesBar({
  page,
  freshness,
  now,
}: {
  readonly page: DeploymentPage
  readonly freshness: Freshness
  readonly now: number
}) {
  const { state, policy } = page
  const { view, stageSince } = state
  const stages = policy?.policy.stages ?? []
  const current = stages[view.stageIndex]
  const isOver = view.candidate === null && view.stageIndex < 0
  const leftAt = isOver && view.phase !== 'steady' ? lastStage(page) : -1
  return (
    <section className="card" aria-labelledby="stages">
      <h2 id="stages">Rollout{view.candidate !== null && ` of ${shortVersion(view.candidate)}`}</h2>
      <ol className="stages">
        {stages.map((stage, index) => {
          const word = stageWord(index, view.stageIndex, leftAt)
          return (
            <li key={stage.name} className={`stage stage-${word}`} aria-current={word === 'now' ? 'step' : undefined}>
              <strong>{stage.shadow ? 'Shadow' : percent(stage.share)}</strong>
              <span>{stageWords[word]}</span>
            </li>
          )
        })}
      </ol>
      <Share page={page} />
      {current !== undefined && view.candidate !== null && (
        <p>
          {page.stageRows !== null && current.minimumSample > 0 && (
            <>
              <b>{count(page.stageRows)}</b> of {count(current.minimumSample)}{' '}
              {policy?.policy.words?.rows ?? 'requests'} needed here.{' '}
            </>
          )}
          {stageSince !== null && (
            <>
              <b>{span(now - stageSince)}</b> in this stage; at least {span(current.minimumMs)}, at most{' '}
              {span(current.maximumMs)}.
            </>
          )}
          {freshness !== 'fresh' && freshness !== 'never' && ' As of the last evaluation.'}
        </p>
      )}
      {isOver && (
        <p>
          {view.phase === 'rolling-back' || view.phase === 'rolled-back'
            ? 'The rollout is over: it was ordered back.'
            : 'No rollout is running.'}
        </p>
      )}
    </section>
  )
}

type StageWord = 'done' | 'now' | 'left' | 'open' | 'unreached' | 'idle'

const stageWords: Readonly<Record<StageWord, string>> = {
  done: '✓ passed',
  now: '● now',
  left: '↩ stopped here',
  open: 'to come',
  unreached: 'not reached',
  idle: 'none now',
}

function stageWord(index: number, current: number, leftAt: number): StageWord {
  if (leftAt >= 0) return index < leftAt ? 'done' : index === leftAt ? 'left' : 'unreached'
  if (current < 0) return 'idle'
  return index < current ? 'done' : index === current ? 'now' : 'open'
}

/** The stage from which the newest rollout was ordered back; −1 where no decision tells. */
function lastStage({ because, decisions }: DeploymentPage): number {
  const stopped = because !== null && because.before.stageIndex >= 0 ? because : undefined
  return (stopped ?? decisions.find(({ before }) => before.stageIndex >= 0))?.before.stageIndex ?? -1
}

/** Ordered against seen: what the router was told, and who really answered in the newest pane. */
function Share({ page }: { readonly page: DeploymentPage }) {
  const { served, state } = page
  const other = page.comparison?.versions.find(({ version }) => version !== state.view.stable)?.version ?? null
  const candidate = state.view.candidate ?? other
  if (candidate === null) return null
  const answered = (served?.counts ?? []).filter(({ variant }) => variant !== 'shadow')
  const rows = answered.reduce((sum, one) => sum + one.rows, 0)
  const own = answered.reduce((sum, one) => sum + (one.version === candidate ? one.rows : 0), 0)
  const seen = rows < tellingRows ? null : own / rows
  const ordered = state.view.candidate === null ? 0 : state.view.share
  const name = shortVersion(candidate)
  return (
    <div className="share">
      <div className="share-bar" aria-hidden="true">
        <div className="share-ordered" style={{ width: percent(ordered, 2).replace(' ', '') }} />
        {seen !== null && <div className="share-seen" style={{ left: percent(seen, 2).replace(' ', '') }} />}
      </div>
      <p>
        {name} should answer <b>{percent(ordered)}</b>;{' '}
        {seen === null ? (
          'its real share is not known now.'
        ) : (
          <>
            it really answers <b>{percent(seen, 1)}</b>.
          </>
        )}
      </p>
    </div>
  )
}
