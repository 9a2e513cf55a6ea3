import { draw } from '../draw.ts'
import type { Row } from '../row.ts'
import type { Fault, Subject, Where } from './fault.ts'

/** A fault at a place and a time of a scenario. */
export interface Injection {
  readonly fault: Fault
  readonly where: Where
  readonly size: number
  /** Part of the rows that are hit once the fault is fully there, 0 … 1. */
  readonly part: number
  readonly rampMs: number
  /** It begins so long after the stage is entered; null: the first stage in which people get answers. */
  readonly onset: { readonly stage: string | null; readonly afterMs: number }
}

/** A fault of the catalogue as it stands there. */
export function injectionOf(
  fault: Fault,
  {
    paneMs,
    onset,
    size,
    part,
    where,
  }: Pick<Injection, 'onset'> & Partial<Pick<Injection, 'size' | 'part' | 'where'>> & { readonly paneMs: number },
): Injection {
  const rampMs = (fault.rampPanes ?? 0) * paneMs
  return { fault, where: where ?? fault.where, size: size ?? fault.size, part: part ?? fault.part ?? 1, rampMs, onset }
}

/** Purposes of the numbers drawn for a row: up to a hundred of a change's own. */
const hitPurpose = 100

/**
 * What becomes of one row while the fault is on.
 *
 * @param number the row's place in the scenario: with the seed it decides whether the row is hit
 * @param sinceMs time since the onset, ms
 * @returns the very same row where the fault leaves it alone
 */
export function inject(
  { fault, where, size, part, rampMs }: Injection,
  subject: Subject,
  row: Row,
  at: { readonly seed: number; readonly number: number; readonly sinceMs: number },
): Row | readonly Row[] {
  const hitsVersion = where !== 'candidate' || row.variant !== 'stable'
  if (!hitsVersion || (where === 'producer' && row.producer !== subject.producer)) return row
  const { segment } = subject
  if (fault.within !== undefined && (segment === null || row.segments[segment.name] !== segment[fault.within]))
    return row
  const grown = rampMs === 0 ? part : part * Math.min(1, at.sinceMs / rampMs)
  const chance = (purpose: number): number => draw(at.seed, at.number, purpose)
  if (grown < 1 && chance(hitPurpose) >= grown) return row
  return fault.change(row, { subject, size, chance })
}
