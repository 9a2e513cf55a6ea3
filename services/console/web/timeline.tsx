import type { DecisionOut } from '@interlock/contracts'
import { useEffect, useState } from 'react'
import type { Decisions, DeploymentPage } from '../src/api.ts'
import { get } from './request.ts'
import { actor, clock, outcomeWords } from './words.ts'

/** Every decision, newest first, each with its proof. */
export function Timeline({
  page,
  onWhy,
}: {
  readonly page: DeploymentPage
  readonly onWhy: (decision: string) => void
}) {
  const [older, setOlder] = useState<readonly DecisionOut[]>([])
  const [failed, setFailed] = useState('')
  const newest = page.decisions
  const last = newest.at(-1)?.sequence ?? 0
  const shown = [...newest, ...older.filter(({ sequence }) => sequence < last)]
  const more = async (): Promise<void> => {
    const before = shown.at(-1)?.sequence ?? 0
    const path = `/api/v1/deployments/${encodeURIComponent(page.deployment)}/decisions?limit=50&before=${before}`
    const { body } = await get<Decisions>(path)
    setOlder([...shown, ...body.decisions])
  }
  return (
    <section className="card" aria-labelledby="timeline">
      <h2 id="timeline">Decisions</h2>
      <p className="muted">
        {shown.length} of {page.decisionsTotal}, newest first. Times are UTC.
      </p>
      <ol className="timeline">
        {shown.map((decision) => (
          <li key={decision.id}>
            <time dateTime={new Date(decision.at).toISOString()}>{clock(decision.at)}</time>
            <div>
              <p>{decision.text}</p>
              <p className="muted">
                {outcomeWords[decision.outcome]} by {actor(decision.by)} · <CopyHash hash={decision.id} />{' '}
                <button
                  type="button"
                  className="link"
                  aria-label={`Why: ${decision.text}`}
                  onClick={() => onWhy(decision.id)}
                >
                  Why
                </button>
              </p>
            </div>
          </li>
        ))}
      </ol>
      {shown.length < page.decisionsTotal && (
        <button
          type="button"
          className="button"
          onClick={() => more().catch((error: Error) => setFailed(error.message))}
        >
          Show older ones
        </button>
      )}
      {failed !== '' && <p role="alert">They could not be loaded: {failed}</p>}
    </section>
  )
}

/** The first digits of a hash; the button copies the whole. */
export function CopyHash({ hash }: { readonly hash: string }) {
  return (
    <>
      <code title={hash}>{hash.slice(0, 8)}</code> <CopyText text={hash} name={`hash ${hash.slice(0, 8)}`} />
    </>
  )
}

/** A button that copies a text. */
export function CopyText({ text, name }: { readonly text: string; readonly name: string }) {
  const [word, setWord] = useState('Copy')
  useEffect(() => {
    if (word === 'Copy') return
    const timer = setTimeout(() => setWord('Copy'), 2_000)
    return () => clearTimeout(timer)
  }, [word])
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setWord('Copied'),
      () => setWord('Not copied'),
    )
  }
  return (
    <button type="button" className="link" aria-label={`${word} ${name}`} onClick={copy}>
      {word}
    </button>
  )
}
