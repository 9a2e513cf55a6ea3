import type { Attention, DecisionKind, Verdict } from '@interlock/contracts'

/** `flight-delay@v2` as people say it: `v2`. */
export function shortVersion(version: string | null): string {
  return version === null ? 'none' : version.slice(version.indexOf('@') + 1)
}

/** Times stand in UTC, as in the sentences. `14:03:12`. */
export function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19)
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`
}

/** `4 s`, `2 min 5 s`, `3 h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600)
    return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}

/** Tenths of a second where they tell: `0.4 s`. */
export function shortSpan(ms: number): string {
  return ms < 10_000 ? `${(Math.max(0, ms) / 1_000).toFixed(1)} s` : span(ms)
}

export const attentionWords: Readonly<Record<Attention, string>> = {
  'act-now': 'Act now',
  'not-watched': 'Not watched',
  watch: 'Watch',
  handled: 'Handled',
  healthy: 'Healthy',
}

export const verdictWords: Readonly<Record<Verdict, string>> = {
  pass: 'Within its limit',
  watch: 'Moving to its limit',
  breach: 'Past its limit',
  inconclusive: 'Not yet known',
  'no-data': 'Not watched',
}

/** How far evidence has come, by quarters of its logarithm. */
export function evidenceWords(harm: number, limit: number): string {
  const part = limit > 0 ? harm / limit : 0
  if (part >= 1) return 'past its limit'
  if (part < 0.25) return 'little evidence'
  if (part < 0.5) return 'some evidence'
  return part < 0.75 ? 'much evidence' : 'nearly enough evidence'
}

export const outcomeWords: Readonly<Record<DecisionKind, string>> = {
  registered: 'Registered',
  approved: 'Approved',
  refused: 'Refused',
  'rollout-started': 'Rollout started',
  promoted: 'Moved on',
  completed: 'Completed',
  held: 'Held',
  released: 'Released',
  halted: 'Halted',
  'ramped-down': 'Ramped down',
  'rolled-back': 'Rollback ordered',
  'fell-back': 'Fallback ordered',
  restored: 'Restored',
  verified: 'Verified',
  escalated: 'Escalated',
  'data-incident': 'Data incident',
  'not-watched': 'Not watched',
  'watched-again': 'Watched again',
  aborted: 'Ended early',
  'ledger-behind': 'Ledger behind',
}

/** Who decided, as people say it. */
export function actor(by: string): string {
  return by === 'governor' ? 'Interlock' : by
}
