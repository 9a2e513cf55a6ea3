import type { AnyOut, DeploymentView, ProbeProgress } from '@interlock/contracts'

/** Of a round, ms. A breach is promised to be VERIFIED within `verifiedMs` (docs/reliability.md "Dead-man's switch"). */
export const roundTimes = {
  /** A breach so often. */
  everyMs: 60_000,
  verifiedMs: 15_000,
  /** From the wish to the exposed candidate. */
  exposedMs: 20_000,
  /** From the start, or from the end of a round, until a rollout may begin. */
  readyMs: 20_000,
  introducedMs: 45_000,
  /** After so long without a word of the governor a rollout is asked for as well: whatever comes of it is a word. */
  silentMs: 15_000,
  /** A wish that came to nothing is said again. */
  againMs: 5_000,
  /** A candidate that is not gone by then is taken back by hand, so that the next round can begin; the round is lost. */
  givenUpMs: 75_000,
} as const

export type Phase = 'introducing' | 'resting' | 'rolling-out' | 'breaching' | 'clearing'

/** Where the probe stands. Times are monotonic, ms. */
export interface Rounds {
  readonly phase: Phase
  /** Since when it waits for what its phase waits for. */
  readonly since: number
  /** When it asked last, and how often in this phase. */
  readonly askedAt: number
  readonly asks: number
  readonly nextAt: number
  /** Which version is next. */
  readonly turn: number
  readonly rounds: number
  readonly verified: number
  readonly tookMs: number | null
  readonly refusal: string | null
  /** What the governor said last. */
  readonly seen: Seen
}

export interface Seen {
  readonly view: DeploymentView | null
  readonly approved: boolean
  readonly command: string | null
}

/** What the probe does about it. */
export type Wish = 'introduce' | 'roll-out' | 'roll-back'

export function firstRound(now: number, turn: number): Rounds {
  const seen = { view: null, approved: false, command: null }
  const counts = { rounds: 0, verified: 0, tookMs: null, refusal: null }
  return {
    phase: 'introducing',
    since: now,
    askedAt: Number.NEGATIVE_INFINITY,
    asks: 0,
    nextAt: now,
    turn,
    ...counts,
    seen,
  }
}

/** Takes what the governor put out about the probe. */
export function hearGovernor(state: Rounds, out: AnyOut, now: number): Rounds {
  if (out.kind === 'state') {
    const approvals = out.engines.find(({ engine }) => engine === 'approvals')
    const seen = { view: out.view, approved: approvals?.state === 'ok', command: out.command?.state ?? null }
    return follow({ ...state, seen }, now)
  }
  if (out.kind !== 'decision') return state
  const isRefused = out.outcome === 'refused' && out.rule === 'rollout'
  // Whatever it is about this version, the next one may do; what is about all of them is late soon, and then paged.
  const turned = isRefused ? { ...state, refusal: out.text, turn: state.turn + 1 } : state
  if (state.phase !== 'introducing' || state.seen.view !== null) return state.phase === 'rolling-out' ? turned : state
  // The first word since this process runs: it was introduced long ago.
  const seen = { view: out.after, approved: true, command: null }
  if (out.outcome === 'rollout-started') return begun({ ...state, seen }, now)
  return isRefused && out.after.candidate !== null ? { ...turned, seen, ...entered('clearing', now) } : turned
}

function entered(phase: Phase, now: number): Pick<Rounds, 'phase' | 'since' | 'asks'> {
  return { phase, since: now, asks: 0 }
}

function begun(state: Rounds, now: number): Rounds {
  return { ...state, ...entered('rolling-out', now), nextAt: now + roundTimes.everyMs, rounds: state.rounds + 1 }
}

function follow(state: Rounds, now: number): Rounds {
  const { view, approved, command } = state.seen
  if (view === null) return state
  switch (state.phase) {
    case 'introducing':
      return approved ? { ...state, ...entered('resting', now), nextAt: now } : state
    case 'rolling-out': {
      const isExposed =
        view.candidate !== null && view.share > 0 && command === 'verified' && view.phase === 'rolling-out'
      return isExposed ? { ...state, ...entered('breaching', now), refusal: null } : state
    }
    case 'breaching':
      if (view.phase !== 'rolled-back' || command !== 'verified') return state
      return ended({ ...state, verified: state.verified + 1, tookMs: Math.round(now - state.since) }, now)
    case 'clearing':
      return isFree(state) ? ended(state, now) : state
    default:
      return state
  }
}

function ended(state: Rounds, now: number): Rounds {
  const nextAt = Math.max(now, state.nextAt)
  return { ...state, ...entered('resting', nextAt), nextAt, turn: state.turn + 1, refusal: null }
}

/** Nothing is under way: a rollout may begin. */
function isFree({ seen: { view, approved } }: Rounds): boolean {
  return (
    approved && view !== null && view.candidate === null && (view.phase === 'steady' || view.phase === 'rolled-back')
  )
}

/** What to ask for now, if anything. */
export function nextWish(before: Rounds, now: number): readonly [Rounds, Wish | null] {
  const state = before.phase === 'clearing' && isFree(before) ? ended(before, now) : before
  const { phase, since, asks, seen } = state
  const mayAsk = now - state.askedAt >= roundTimes.againMs
  const asked = (wish: Wish, change: Partial<Rounds> = {}): readonly [Rounds, Wish] => {
    const next = { ...state, ...change, askedAt: now }
    return [{ ...next, asks: next.asks + 1 }, wish]
  }
  switch (phase) {
    case 'introducing': {
      if (!mayAsk) return [state, null]
      const isSilent = seen.view === null && now - since >= roundTimes.silentMs
      return asked(isSilent && asks % 2 === 0 ? 'roll-out' : 'introduce')
    }
    case 'resting': {
      if (now < state.nextAt) return [state, null]
      if (!seen.approved) return asked('introduce', entered('introducing', now))
      if (isFree(state)) return asked('roll-out', begun(state, now))
      if (now - since < roundTimes.readyMs) return [state, null]
      return asked('roll-back', entered('clearing', now))
    }
    case 'rolling-out': {
      if (now - since >= roundTimes.givenUpMs) return asked('roll-back', entered('clearing', now))
      // Asked again only where it was refused, or where nothing came of it: what was taken is under way.
      const isLost = state.refusal !== null || isFree(state)
      return mayAsk && isLost ? asked('roll-out', { refusal: null }) : [state, null]
    }
    case 'breaching':
      return now - since < roundTimes.givenUpMs ? [state, null] : asked('roll-back', entered('clearing', now))
    case 'clearing':
      return mayAsk ? asked('roll-back') : [state, null]
  }
}

/** For the heartbeat: how late it is, and what for. */
export function progressOf(state: Rounds, now: number, verifiedAt: number | null): ProbeProgress {
  const { rounds, verified, tookMs, phase, since } = state
  const beyond = (allowedMs: number): number => Math.max(0, Math.round(now - since - allowedMs))
  const late: Readonly<Record<Phase, readonly [overdueMs: number, waitsFor: string]>> = {
    introducing: [beyond(roundTimes.introducedMs), 'its registration and approvals'],
    resting: [beyond(roundTimes.readyMs), 'the end of what was before'],
    'rolling-out': [
      beyond(roundTimes.exposedMs),
      state.refusal === null ? 'the canary of its rollout' : `its rollout: ${state.refusal}`,
    ],
    breaching: [beyond(roundTimes.verifiedMs), 'the verified rollback of its breach'],
    // The breach that it gave up was late already, and stays so until a later one is verified.
    clearing: [beyond(0) + roundTimes.givenUpMs, 'the rollback by hand of a round that was lost'],
  }
  const [overdueMs, waitsFor] = late[phase]
  return { rounds, verified, verifiedAt, tookMs, overdueMs, waitsFor }
}
