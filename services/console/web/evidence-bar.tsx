import { evidenceWords } from './words.ts'

/** The limit stands at this part of the bar, so that there is room to be seen past it. */
const limitPart = 0.8

/** Evidence of harm against its limit: both are logarithms already, so the bar is a logarithmic scale. */
export function EvidenceBar({
  harm,
  limit,
  name,
}: {
  readonly harm: number
  readonly limit: number
  readonly name: string
}) {
  const part = limit > 0 ? Math.max(0, harm / limit) : 0
  const word = evidenceWords(harm, limit)
  const width = `${(Math.min(1, part * limitPart) * 100).toFixed(1)}%`
  return (
    <div className="evidence">
      <div className={`bar ${part >= 1 ? 'bar-past' : ''}`} role="img" aria-label={`${name}: ${word}`}>
        <div className="bar-fill" style={{ width }} />
        <div className="bar-limit" />
      </div>
      <span className="evidence-word">{word}</span>
    </div>
  )
}
