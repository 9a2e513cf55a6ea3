import type { DecisionOut, StateOut } from '@interlock/contracts'
import type { DeploymentPage } from '../src/api.ts'
import { clock, shortSpan, shortVersion } from './words.ts'

/** The newest command and how far it came. Only what is verified is told as done. */
export function DoneSteps({ page }: { readonly page: DeploymentPage }) {
  const { command } = page.state
  return (
    <section className="card" aria-labelledby="done">
      <h2 id="done">What was done</h2>
      {command === null ? (
        <p className="muted">No command was given yet.</p>
      ) : (
        <>
          <p>
            <strong>{commandWords(command, page.because, page.state.view.stable)}</strong>
          </p>
          <CommandSteps command={command} />
        </>
      )}
    </section>
  )
}

/** What the command is, told as done only where it is verified. */
export function commandWords(command: Command, because: DecisionOut | null, stable: string | null): string {
  const isDone = command.state === 'verified'
  const to = shortVersion(stable)
  switch (command.order[2]) {
    case 4:
      return isDone ? 'Fell back: no model answers' : 'Falling back: no model shall answer'
    case 3:
      return isDone ? `Rolled back to ${to}` : `Rolling back to ${to}`
    case 2:
      return isDone ? `Led back to ${to}` : `Leading traffic back to ${to}, step by step`
    case 1:
      return isDone ? 'Stopped' : 'Stopping the rollout'
    default:
      return because === null ? 'Moving traffic' : because.text
  }
}

type Command = NonNullable<StateOut['command']>
type Step = 'recorded' | 'signed' | 'received' | 'applied' | 'verified'

const steps: readonly { readonly step: Step; readonly word: string; readonly says: string }[] = [
  { step: 'recorded', word: 'Recorded', says: 'the decision is in the log' },
  { step: 'signed', word: 'Signed', says: 'the agent found the signature good' },
  { step: 'received', word: 'Received', says: 'the agent has it' },
  { step: 'applied', word: 'Applied', says: 'the router says it is so' },
  { step: 'verified', word: 'Verified', says: 'weights and traffic show it' },
]

/** Recorded, signed, received, applied, verified, each with its time. */
export function CommandSteps({ command }: { readonly command: Command }) {
  const times = timesOf(command)
  const from = times.recorded
  return (
    <>
      <ol className="steps">
        {steps.map(({ step, word, says }, index) => {
          const at = times[step]
          const isNext = at === undefined && (index === 0 || times[steps[index - 1]!.step] !== undefined)
          return (
            <li key={step} className={at === undefined ? (isNext ? 'step step-next' : 'step') : 'step step-done'}>
              <span className="step-mark" aria-hidden="true">
                {at === undefined ? (isNext ? '…' : '○') : '✓'}
              </span>
              <strong>{word}</strong>
              <span className="muted">
                {at === undefined ? (isNext ? 'waiting' : 'not yet') : `${clock(at)}${plus(at, from)}`}
                <span className="step-says"> · {says}</span>
              </span>
            </li>
          )
        })}
      </ol>
      {command.state === 'escalated' && (
        <p className="banner banner-act-now">
          It was not carried out as ordered; people were called at {clock(command.times.escalated ?? 0)} UTC.
        </p>
      )}
      {command.state === 'superseded' && <p className="muted">A newer command took its place.</p>}
      {command.state === 'rejected' && <p className="banner banner-act-now">The agent refused it.</p>}
    </>
  )
}

/** A signature counts as seen once the agent, who checks it, has the command. */
function timesOf({ times }: Command): Readonly<Partial<Record<Step, number>>> {
  const { issued, sent, received, applied, verified } = times
  const got = received ?? applied ?? verified
  const told: Partial<Record<Step, number>> = {}
  if (issued !== undefined) told.recorded = issued
  if (got !== undefined) {
    told.signed = Math.min(got, sent ?? got)
    told.received = got
  }
  if (applied !== undefined) told.applied = applied
  if (verified !== undefined) told.verified = verified
  return told
}

function plus(at: number, from: number | undefined): string {
  return from === undefined || at <= from ? '' : ` (+${shortSpan(at - from)})`
}
