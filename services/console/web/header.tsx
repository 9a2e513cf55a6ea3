import type { ReactNode } from 'react'
import type { Freshness } from '../src/freshness.ts'
import type { Connection } from './stream.ts'
import { clock, span } from './words.ts'

interface HeaderProps {
  readonly demo: boolean
  readonly connection: Connection
  readonly evaluated: { readonly to: number | null; readonly now: number; readonly freshness: Freshness } | null
  readonly children?: ReactNode
}

const connectionWords: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting',
  live: 'Connected',
  polling: 'No stream: asking each 10 s',
}

/** Which world this is, how old what is shown is, and whether news arrive. */
export function Header({ demo, connection, evaluated, children }: HeaderProps) {
  return (
    <>
      <a className="skip" href="#main">
        Skip to the deployment
      </a>
      <header className="header">
        <a className="brand" href="/">
          Interlock
        </a>
        <span className={`chip chip-${demo ? 'demo' : 'live'}`}>{demo ? 'DEMO' : 'LIVE'}</span>
        {children}
        <span className="header-end">
          {evaluated !== null && <Evaluated {...evaluated} />}
          <span className={`connection connection-${connection}`}>{connectionWords[connection]}</span>
        </span>
      </header>
    </>
  )
}

function Evaluated({ to, now, freshness }: NonNullable<HeaderProps['evaluated']>) {
  if (to === null) return <span>nothing evaluated yet</span>
  return (
    <span className={`evaluated evaluated-${freshness}`}>
      evaluated up to <time dateTime={new Date(to).toISOString()}>{clock(to)}</time> UTC ({span(now - to)} ago
      {freshness === 'late' && ', late'}
      {freshness === 'stale' && ', too old to rely on'})
    </span>
  )
}
