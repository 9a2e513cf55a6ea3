import type { Action, EventTime, GuardrailEvidence } from '@interlock/contracts'
import type { Breach, Judged } from './judgement.ts'
import { watchPart } from './judgement.ts'

/**
 * Would rollback help? Where the harm is:
 *  - `candidate`: in the candidate only; taking it out cures it
 *  - `common`: in both arms, through data that they share; taking the candidate out cures nothing
 *  - `both`: a common cause, and harm of the candidate's own beside it
 *  - `source`: in the rows of one small source, and nowhere else; it lies with whoever sends them
 *  - `unclear`: one version is beyond its own baseline, and no other one can tell whose harm it is
 */
export type Scope = 'candidate' | 'common' | 'both' | 'source' | 'unclear'

export interface Remedy {
  readonly action: Action
  /** Whether the owner of the data is called: a data incident. */
  readonly incident: boolean
}

/** Rows: where the harm is. Columns: what the policy asks for. Cells: what is done. */
export const remedies = {
  candidate: {
    watch: { action: 'watch', incident: false },
    hold: { action: 'hold', incident: false },
    halt: { action: 'halt', incident: false },
    'ramp-down': { action: 'ramp-down', incident: false },
    'roll-back': { action: 'roll-back', incident: false },
    'fall-back': { action: 'fall-back', incident: false },
  },
  both: {
    watch: { action: 'watch', incident: true },
    hold: { action: 'hold', incident: true },
    halt: { action: 'halt', incident: true },
    'ramp-down': { action: 'ramp-down', incident: true },
    'roll-back': { action: 'roll-back', incident: true },
    'fall-back': { action: 'fall-back', incident: true },
  },
  common: {
    watch: { action: 'watch', incident: false },
    hold: { action: 'hold', incident: true },
    halt: { action: 'halt', incident: true },
    'ramp-down': { action: 'hold', incident: true },
    'roll-back': { action: 'hold', incident: true },
    'fall-back': { action: 'fall-back', incident: true },
  },
  source: {
    watch: { action: 'watch', incident: false },
    hold: { action: 'hold', incident: true },
    halt: { action: 'hold', incident: true },
    'ramp-down': { action: 'hold', incident: true },
    'roll-back': { action: 'hold', incident: true },
    'fall-back': { action: 'hold', incident: true },
  },
  unclear: {
    watch: { action: 'watch', incident: false },
    hold: { action: 'hold', incident: false },
    halt: { action: 'halt', incident: false },
    'ramp-down': { action: 'hold', incident: false },
    'roll-back': { action: 'hold', incident: false },
    'fall-back': { action: 'hold', incident: false },
  },
} as const satisfies Record<Scope, Record<Action, Remedy>>

/**
 * Decides where the harm is from the breaches of one pane:
 *
 * | candidate against stable | stable against its baseline | scope |
 * |---|---|---|
 * | breach | none | candidate |
 * | breach | breach of another subject, or at another time | both |
 * | breach | breach of the same subject at the same time | both where the candidate's own distance is clearly larger, else common |
 * | none | breach, with a candidate beside it | common |
 * | none | breach, alone | common where one producer carries most of it, else unclear |
 * | none | none, but the candidate against its baseline | candidate where the stable version is calm, else unclear |
 *
 * Breaches that one small source alone brings about are left out of the table; where there are no others the scope is `source`.
 *
 * The comparison with the stable version at the same time is exact under a shift that hits both arms alike, so its
 * breach alone is never a common cause. One cause can still show in it when the arms answer differently to the same
 * broken input; then the sizes decide.
 */
export function scopeOf(breaches: readonly Breach[], judged: readonly Judged[]): Scope {
  const ofMany = breaches.filter(({ source }) => source === null)
  if (ofMany.length === 0 && breaches.length > 0) return 'source'
  const leading = ofMany.map((breach) => breach.leading)
  const concurrent = leading.filter((one) => !isStable(one) && one.guardrail.reference === 'stable')
  const stable = leading.filter(isStable)
  if (concurrent.length === 0) {
    if (stable.length > 0) {
      const isAlone = judged.every(isStable)
      return isAlone && !stable.some(isOfOneProducer) ? 'unclear' : 'common'
    }
    return leading.every((one) => stableIsCalm(one, judged)) ? 'candidate' : 'unclear'
  }
  if (stable.length === 0) return 'candidate'
  const oneCause = concurrent.every((one) => stable.some((other) => isSameCause(one, other)))
  return oneCause && !candidateIsFurther(stable, judged) ? 'common' : 'both'
}

/** Share of the excess that one producer must carry to be the cause where no other version can be asked. */
const tellingShare = 0.5

function isOfOneProducer({ evidence }: Judged): boolean {
  return evidence.evidence.drivers.some(({ dimension, share }) => dimension === 'producer' && share >= tellingShare)
}

function isStable(one: Judged): boolean {
  return one.evidence.variant === 'stable'
}

/** Calm: the stable version's evidence under the same rule is sufficient and not even moving towards its limit. */
function stableIsCalm(one: Judged, judged: readonly Judged[]): boolean {
  const twin = judged.find((other) => isStable(other) && other.guardrail.id === one.guardrail.id)
  // Without a stable version beside it (it has no traffic) nobody can say whose harm it is.
  return twin !== undefined && twin.evidence.evidence.status === 'ok' && twin.progress < watchPart
}

function isSameCause(one: Judged, other: Judged): boolean {
  return (
    subjectOf(one.guardrail.signal) === subjectOf(other.guardrail.signal) &&
    overlaps(one.evidence.evidence.onset, other.evidence.evidence.onset)
  )
}

type Onset = { readonly from: EventTime; readonly to: EventTime } | null

/** Unknown onsets are taken to overlap: the cautious reading. */
function overlaps(a: Onset, b: Onset): boolean {
  return a === null || b === null || (a.from <= b.to && b.from <= a.to)
}

/** Whether, under some rule that the stable version breaches, the candidate lies beyond it with the whole interval. */
function candidateIsFurther(stable: readonly Judged[], judged: readonly Judged[]): boolean {
  return stable.some((one) =>
    judged.some(
      (other) =>
        !isStable(other) &&
        other.guardrail.id === one.guardrail.id &&
        other.evidence.evidence.status === 'ok' &&
        other.evidence.evidence.effect.low > one.evidence.evidence.effect.high,
    ),
  )
}

/** What a signal is about: the feature in its brackets, `latency`, `errors`, `duplicates`, `predictions` or `volume`. */
export function subjectOf(signal: string): string {
  const open = signal.indexOf('(')
  if (signal.startsWith('latency-over')) return 'latency'
  return open < 0 ? signal : signal.slice(open + 1, -1)
}

/** The producer that explains most of what is out of line, or null where none is named. */
export function producerOf(evidence: readonly GuardrailEvidence[]): string | null {
  let best: { value: string; share: number } | null = null
  for (const { evidence: one } of evidence) {
    for (const driver of one.drivers) {
      if (driver.dimension !== 'producer') continue
      if (best === null || driver.share > best.share) best = { value: driver.value, share: driver.share }
    }
  }
  return best?.value ?? null
}
