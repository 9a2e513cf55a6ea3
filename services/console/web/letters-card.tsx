import type { LetterList } from '../src/dead-letters.ts'
import { useSlow } from './live.ts'
import { clock, count } from './words.ts'

/** Records that could not be taken, by reason. Never what they hold. */
export function LettersCard() {
  const { body, error } = useSlow<LetterList>('/api/v1/dead-letters')
  const open = body?.groups.filter(({ rows }) => rows > 0) ?? []
  return (
    <section className="card" aria-labelledby="letters">
      <h2 id="letters">Dead letters</h2>
      {body === null ? (
        <p className="muted">{error === null ? 'Loading…' : `They could not be loaded: ${error.message}`}</p>
      ) : (
        <p>{open.length === 0 ? 'No row is dead: everything that came was taken.' : 'Rows that could not be taken:'}</p>
      )}
      {open.length > 0 && (
        <ul className="letters">
          {open.map(({ topic, reason, rows, records, last, example }) => (
            <li key={`${topic} ${reason}`}>
              <p>
                <strong>{reason}</strong> in <code>{topic}</code>: {count(rows)} rows in {count(records)} records, last
                at {clock(last)} UTC.
              </p>
              <p className="muted">
                For example <code>{example.place}</code>: {example.detail}.
              </p>
            </li>
          ))}
        </ul>
      )}
      {open.length > 0 && (
        <p className="muted">
          Once the cause is mended: <code>interlock dlq replay</code>. It shows what it would do before it asks.
        </p>
      )}
    </section>
  )
}
