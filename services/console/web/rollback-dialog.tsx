import type { DeploymentId } from '@interlock/contracts'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { DeploymentPage, RollbackPlan } from '../src/api.ts'
import { Dialog } from './dialog.tsx'
import { CommandSteps } from './done-steps.tsx'
import { ask, Refused } from './request.ts'
import { percent, shortVersion } from './words.ts'

const retryMs = 2_000
const maxReason = 500

/** Where the wish is: still a plan, on its way, perhaps recorded, or recorded in the log. */
type Sent =
  | { readonly kind: 'plan' }
  | { readonly kind: 'sending' }
  | { readonly kind: 'unknown'; readonly detail: string }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'recorded'; readonly after: number }

/**
 * Step 1 is the plan; step 2 sends one wish, and the dialog becomes the watch. Nothing is called done before it is
 * verified, and an answer that is missing is called unknown.
 */
export function RollbackDialog({
  page,
  plan,
  onClose,
}: {
  readonly page: DeploymentPage
  readonly plan: RollbackPlan | null
  readonly onClose: () => void
}) {
  const { command } = page.state
  const isUnderWay = command !== null && command.order[2] === 3
  const [sent, setSent] = useState<Sent>({ kind: 'plan' })
  const [typed, setTyped] = useState<string | null>(null)
  // Prefilled with the leading breach, also with one that comes while the dialog is open; what was typed stays.
  const reason = typed ?? plan?.reason ?? ''
  const wish = useRef<{ readonly key: string; readonly request: Parameters<typeof ask>[0] } | null>(null)
  const isOver = useRef(false)
  useEffect(() => {
    isOver.current = false
    return () => {
      isOver.current = true
    }
  }, [])

  const send = async (): Promise<void> => {
    const { key, request } = wish.current!
    const after = page.decisions[0]?.sequence ?? 0
    try {
      await ask(request, key)
      if (!isOver.current) setSent({ kind: 'recorded', after })
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      if (error instanceof Refused && error.status < 500) return setSent({ kind: 'refused', detail })
      if (isOver.current) return
      setSent({ kind: 'unknown', detail })
      setTimeout(() => !isOver.current && void send(), retryMs)
    }
  }
  const confirm = (): void => {
    const text = reason.trim()
    // The wish exists once: whatever is pressed how often, it is the same wish under the same key.
    if (wish.current !== null || plan === null || text === '' || !plan.possible.ok) return
    const request = { kind: 'rollback', deployment: page.deployment as DeploymentId, reason: text } as const
    wish.current = { key: crypto.randomUUID(), request }
    setSent({ kind: 'sending' })
    void send()
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    confirm()
  }

  if (sent.kind === 'plan' && isUnderWay) {
    return (
      <Dialog title={`Roll back ${page.deployment}`} onClose={onClose}>
        <Watch page={page} after={null} />
      </Dialog>
    )
  }
  if (plan === null) {
    return (
      <Dialog title={`Roll back ${page.deployment}`} onClose={onClose}>
        <p>The plan is not loaded yet. Close this and try again in a few seconds.</p>
      </Dialog>
    )
  }
  const title = `Roll back ${page.deployment}: ${shortVersion(plan.from)} → ${shortVersion(plan.to)}`
  if (sent.kind !== 'plan' && sent.kind !== 'refused') {
    return (
      <Dialog title={title} onClose={onClose}>
        {sent.kind === 'sending' && <p role="status">Sending the request…</p>}
        {sent.kind === 'unknown' && (
          <p className="banner banner-not-watched" role="alert">
            Not known whether it is recorded. It is asked again each 2 s under the same key, so it counts once. (
            {sent.detail})
          </p>
        )}
        {sent.kind === 'recorded' && <Watch page={page} after={sent.after} />}
      </Dialog>
    )
  }
  return (
    <Dialog title={title} onClose={onClose}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the shortcut of the form's own button */}
      <div onKeyDown={onKey}>
        {plan.possible.ok ? (
          <Plan plan={plan} />
        ) : (
          <p className="banner banner-not-watched">{plan.possible.sentence}</p>
        )}
        {sent.kind === 'refused' && (
          <p className="banner banner-act-now" role="alert">
            Nothing was sent: {sent.detail}
          </p>
        )}
        {plan.possible.ok && (
          <>
            <label className="reason">
              Reason (required, kept with the decision)
              <textarea
                data-first
                rows={3}
                maxLength={maxReason}
                value={reason}
                onChange={(event) => setTyped(event.target.value)}
              />
            </label>
            <div className="dialog-foot">
              <button type="button" className="button" onClick={onClose}>
                Cancel
              </button>
              <button
                type="button"
                className="button button-danger"
                aria-disabled={reason.trim() === '' || sent.kind === 'refused'}
                onClick={confirm}
              >
                Roll back to {shortVersion(plan.to)} now
              </button>
            </div>
            {reason.trim() === '' && <p className="muted">Say why first; the reason is kept with the decision.</p>}
          </>
        )}
      </div>
    </Dialog>
  )
}

const helpWords = { should: 'Yes', 'probably-not': 'Probably not', unknown: 'Not known' } as const
const readyMarks = { ok: '✓', failed: '✕', unknown: '?' } as const
const readyWords = { ok: 'ready', failed: 'failed', unknown: 'not known' } as const

function Plan({ plan }: { readonly plan: RollbackPlan }) {
  return (
    <dl className="plan">
      <dt>What</dt>
      <dd>
        {shortVersion(plan.from)} answers {percent(plan.share)} now. {shortVersion(plan.to)} takes all traffic at once.
      </dd>
      <dt>Will it help?</dt>
      <dd>
        <strong>{helpWords[plan.help.word]}.</strong> {plan.help.sentence}
      </dd>
      <dt>Ready?</dt>
      <dd>
        <ul className="ready">
          {plan.ready.map(({ name, state, detail }) => (
            <li key={name} className={`ready-${state}`}>
              <span aria-hidden="true">{readyMarks[state]}</span> {name}: {readyWords[state]}
              {detail !== '' && <span className="muted"> ({detail})</span>}
            </li>
          ))}
        </ul>
      </dd>
      <dt>Touches</dt>
      <dd>{plan.touches}</dd>
      <dt>Time</dt>
      <dd>{plan.time}</dd>
      <dt>Undo</dt>
      <dd>{plan.undo}</dd>
    </dl>
  )
}

/** What came of it: the governor's answer, then the command's five steps. */
function Watch({ page, after }: { readonly page: DeploymentPage; readonly after: number | null }) {
  const { command, view } = page.state
  const own = after === null ? [] : page.decisions.filter(({ sequence, by }) => sequence > after && by !== 'governor')
  const refused = own.find(({ outcome }) => outcome === 'refused')
  const isAnswered = command !== null && command.order[2] === 3
  if (refused !== undefined && !isAnswered) {
    return (
      <p className="banner banner-act-now" role="alert">
        {refused.text}
      </p>
    )
  }
  if (!isAnswered) return <p role="status">Recorded in the log. Waiting for the decision…</p>
  const isDone = command.state === 'verified'
  return (
    <>
      <p className={isDone ? 'banner banner-handled' : 'banner'} role={isDone ? 'alert' : 'status'}>
        <strong>
          {isDone
            ? `Rolled back to ${shortVersion(view.stable)}.`
            : `Rolling back to ${shortVersion(view.stable)}; not verified yet.`}
        </strong>{' '}
        {isDone ? page.state.sentence : 'It is safe to close this: it goes on, and the header shows it.'}
      </p>
      <CommandSteps command={command} />
    </>
  )
}
