import { useEffect, useState } from 'react'
import { attentionNow, freshnessOf } from '../src/freshness.ts'
import { ComparisonTable } from './comparison-table.tsx'
import { DoneSteps } from './done-steps.tsx'
import { GuardedCard } from './guarded-card.tsx'
import { GuardrailLedger } from './guardrail-ledger.tsx'
import { Header } from './header.tsx'
import { KeysDialog, singleKeysAreOn } from './keys-dialog.tsx'
import { LettersCard } from './letters-card.tsx'
import { isSignedOut, useDeployment, useLatest, useNow } from './live.ts'
import { News } from './news.tsx'
import { PerformanceCharts } from './performance-charts.tsx'
import type { PageFacts } from './request.ts'
import { RollbackDialog } from './rollback-dialog.tsx'
import { SignedOut } from './signed-out.tsx'
import { StagesBar } from './stages-bar.tsx'
import { Standing } from './standing.tsx'
import { Timeline } from './timeline.tsx'
import { WhyDrawer } from './why-drawer.tsx'
import { clock, shortVersion } from './words.ts'

type Open =
  | { readonly kind: 'rollback' }
  | { readonly kind: 'keys' }
  | { readonly kind: 'why'; readonly decision: string | null }

/** The one live screen of a deployment. */
export function DeploymentScreen({ id, demo, letters }: { readonly id: string } & PageFacts) {
  const live = useDeployment(id)
  const now = useNow(live.skewMs)
  const [open, setOpen] = useState<Open | null>(null)
  const { page, series, plan, connection, error } = live
  const openNow = useLatest(open)
  useEffect(() => {
    document.title = `${id} · Interlock`
    const onKey = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && event.target.closest('input, textarea, select') !== null
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey || openNow.current !== null) return
      if (event.key === '?') setOpen({ kind: 'keys' })
      else if (!singleKeysAreOn()) return
      else if (event.key === 'r') setOpen({ kind: 'rollback' })
      else if (event.key === 'w') setOpen({ kind: 'why', decision: null })
      else return
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [id, openNow])

  if (page === null) {
    return (
      <>
        <Header demo={demo} connection={connection} evaluated={null} />
        <main id="main" className="page">
          <h1>{id}</h1>
          {isSignedOut(error) ? <SignedOut /> : <Waiting error={error} />}
        </main>
      </>
    )
  }
  const { body } = page
  const { state, policy, evidence } = body
  const to = page.evaluatedTo === null ? null : Date.parse(page.evaluatedTo)
  const freshness = freshnessOf(to, now, policy?.policy.times ?? { paneMs: 10_000, latenessMs: 10_000 })
  const attention = attentionNow(state.attention, freshness)
  const isStale = freshness === 'stale' || freshness === 'never'
  const close = (): void => setOpen(null)
  const onWhy = (decision: string | null): void => setOpen({ kind: 'why', decision })
  const { command } = state
  const isActing = command !== null && command.order[2] > 0 && command.state !== 'verified'
  return (
    <div className={isStale ? 'is-stale' : ''}>
      <Header demo={demo} connection={connection} evaluated={{ to, now, freshness }}>
        {isActing && (
          <button type="button" className="chip chip-acting" onClick={() => setOpen({ kind: 'rollback' })}>
            Command {command.state === 'issued' ? 'sent' : command.state}, not verified yet
          </button>
        )}
      </Header>
      <main id="main" className="page" tabIndex={-1}>
        <Standing
          page={body}
          plan={plan}
          attention={attention}
          freshness={freshness}
          evaluatedTo={to}
          now={now}
          onRollBack={() => setOpen({ kind: 'rollback' })}
          onWhy={() => onWhy(null)}
        />
        {isStale && to !== null && (
          <p className="banner banner-not-watched">
            What stands below is from {clock(to)} UTC and may no longer be true. Nothing newer was evaluated.
          </p>
        )}
        {freshness !== 'never' && page.missing.length > 0 && !isStale && (
          <p className="banner banner-not-watched">Not complete: {page.missing.join('; ')}.</p>
        )}
        {error !== null && (
          <p className="banner banner-not-watched" role="alert">
            The console does not answer ({error.message}). What is shown is the last that it said.
          </p>
        )}
        <div className="two">
          <StagesBar page={body} freshness={freshness} now={to ?? now} />
          <DoneSteps page={body} />
        </div>
        {policy !== null && <GuardrailLedger page={body} series={series} freshness={freshness} />}
        <ComparisonTable page={body} freshness={freshness} />
        <PerformanceCharts page={body} series={series} />
        <div className="two">
          <GuardedCard deployment={id} />
          {letters && <LettersCard />}
        </div>
        <Timeline page={body} onWhy={onWhy} />
        <footer className="muted">
          Generation {state.view.generation} in {body.environment}. Owner {body.owner}, on call {body.onCall}, approver{' '}
          {body.approver}. {policy !== null && <>Policy {policy.policy.name} </>}
          {policy !== null && <code>{policy.hash.slice(0, 8)}</code>}. Evidence{' '}
          <code>{evidence?.hash.slice(0, 8) ?? 'none yet'}</code>.{' '}
          <button type="button" className="link" onClick={() => setOpen({ kind: 'keys' })}>
            Keys
          </button>
        </footer>
      </main>
      <News sentence={`${shortVersion(state.view.stable)}: ${state.sentence}`} />
      {open?.kind === 'rollback' && <RollbackDialog page={body} plan={plan} onClose={close} />}
      {open?.kind === 'why' && <WhyDrawer deployment={id} decision={open.decision} page={body} onClose={close} />}
      {open?.kind === 'keys' && <KeysDialog onClose={close} />}
    </div>
  )
}

function Waiting({ error }: { readonly error: Error | null }) {
  if (error !== null) {
    return (
      <section className="card empty" role="alert">
        <h2>It could not be loaded</h2>
        <p>{error.message} It is tried again each 10 s.</p>
      </section>
    )
  }
  return (
    <div className="card skeleton" aria-busy="true">
      <p className="muted">Loading the deployment…</p>
    </div>
  )
}
