import type { Attention, Verdict } from '@interlock/contracts'
import { attentionWords, verdictWords } from './words.ts'

type ShapeName = 'hexagon' | 'hatch' | 'triangle' | 'return' | 'check' | 'dots'

const attentionShapes: Readonly<Record<Attention, ShapeName>> = {
  'act-now': 'hexagon',
  'not-watched': 'hatch',
  watch: 'triangle',
  handled: 'return',
  healthy: 'check',
}

const verdictShapes: Readonly<Record<Verdict, ShapeName>> = {
  breach: 'hexagon',
  'no-data': 'hatch',
  watch: 'triangle',
  inconclusive: 'dots',
  pass: 'check',
}

/** A deployment's one word: shape, word and colour, so that none of the three carries it alone. */
export function AttentionPill({
  attention,
  large = false,
}: {
  readonly attention: Attention
  readonly large?: boolean
}) {
  return (
    <span className={`pill pill-${attention}${large ? ' pill-large' : ''}`}>
      <Shape name={attentionShapes[attention]} />
      {attentionWords[attention]}
    </span>
  )
}

export function VerdictPill({ verdict }: { readonly verdict: Verdict }) {
  return (
    <span className={`pill pill-${verdict}`}>
      <Shape name={verdictShapes[verdict]} />
      {verdictWords[verdict]}
    </span>
  )
}

export function Shape({ name }: { readonly name: ShapeName }) {
  return (
    <svg className="shape" viewBox="0 0 16 16" aria-hidden="true">
      {paths[name]}
    </svg>
  )
}

const line = { fill: 'none', stroke: 'currentColor', strokeWidth: 2, strokeLinecap: 'round' } as const
const paths = {
  hexagon: <path d="M4.5 1.5h7L15 8l-3.5 6.5h-7L1 8z" fill="currentColor" />,
  triangle: <path d="M8 1.5 15.5 14.5H.5z" fill="currentColor" />,
  check: <path d="M2.5 8.5 6.5 12.5 13.5 4" {...line} />,
  return: <path d="M5.5 2.5 2 6l3.5 3.5M2.5 6H10a3.5 3.5 0 0 1 0 7H7" {...line} strokeLinejoin="round" />,
  dots: <path d="M3 8h.01M8 8h.01M13 8h.01" {...line} strokeWidth={3} />,
  hatch: <path d="M1.5 1.5h13v13h-13zM2 8l6-6M2 14 14 2M8 14l6-6" {...line} strokeWidth={1.4} />,
} as const satisfies Readonly<Record<ShapeName, unknown>>
