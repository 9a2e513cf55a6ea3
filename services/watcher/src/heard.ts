import type { Heartbeat, ProbeProgress } from '@interlock/contracts'
import type { WatchRules } from './rules.ts'
import type { Instance, Unit, WatchState } from './state.ts'

/** Processes of one component that are told apart. */
const instancesKept = 16
/** A process that nobody has heard of and whose clock is so far behind its component's is a recording. */
const oldestStartMs = 600_000

/**
 * Takes one verified heartbeat in: whatever it says to have moved has moved now.
 *
 * @returns a sentence where it is no news: another environment's, a repetition, a recording
 */
export function hear(
  rules: WatchRules,
  state: WatchState,
  beat: Heartbeat,
  now: number,
): WatchState | { readonly ignored: string } {
  if (beat.environment !== rules.environment) {
    return { ignored: `it is of environment "${beat.environment}", and "${rules.environment}" is watched here` }
  }
  const known = state.instances[beat.by] ?? []
  const before = known.find(({ id }) => id === beat.instance)
  if (before !== undefined && beat.beat <= before.beat) {
    return { ignored: `beat ${beat.beat} of ${beat.by} was heard already` }
  }
  const newest = Math.max(Number.NEGATIVE_INFINITY, ...known.map(({ at }) => at))
  if (before === undefined && beat.at < newest - oldestStartMs) {
    return { ignored: `a process of ${beat.by} that starts ${Math.round((newest - beat.at) / 1000)} s in the past` }
  }
  const units: Record<string, Unit> = { ...state.units }
  const isNew = before === undefined
  const graceUntil = beat.leaving ? now + rules.times.restartMs : 0
  const move = (name: string, mark: Unit['mark'], change: Partial<Unit> = {}): void => {
    const unit = units[name]
    if (unit === undefined) return
    // Who moves has started, or is back: from now on it is expected to go on.
    units[name] = { mark, movedAt: now, overdue: null, graceUntil, ...change }
  }
  const graceOnly = (name: string): void => {
    const unit = units[name]
    if (unit !== undefined && graceUntil > unit.graceUntil) units[name] = { ...unit, graceUntil }
  }

  move(`component ${beat.by}`, null)
  for (const { processor, shard, owned, seq } of beat.shards) {
    const name = `shard ${processor}/${shard}`
    const mark = units[name]?.mark
    // A process that has just started may have a new log; one that was asleep says an old number again and again.
    const moved = owned && seq !== null && (typeof mark !== 'number' || seq > mark || (isNew && seq < mark))
    if (moved) move(name, seq)
    else graceOnly(name)
  }
  if (beat.probe !== null) hearProbe(units, beat, beat.probe, now, move, graceOnly)
  return {
    ...state,
    units,
    instances: { ...state.instances, [beat.by]: withInstance(known, beat) },
    peerPaged: beat.by === rules.peer && beat.paged !== null ? beat.paged : state.peerPaged,
  }
}

function hearProbe(
  units: Record<string, Unit>,
  beat: Heartbeat,
  probe: ProbeProgress,
  now: number,
  move: (name: string, mark: Unit['mark'], change?: Partial<Unit>) => void,
  graceOnly: (name: string) => void,
): void {
  const name = 'probe probe'
  const mark = `${beat.instance} ${probe.verified}`
  const overdue = probe.overdueMs > 0 ? { ms: probe.overdueMs, at: now, waitsFor: probe.waitsFor } : null
  const unit = units[name]
  if (unit === undefined) return
  if (probe.verified > 0 && unit.mark !== mark) {
    move(name, mark, { overdue })
  } else {
    units[name] = { ...unit, overdue }
    graceOnly(name)
  }
}

function withInstance(known: readonly Instance[], beat: Heartbeat): readonly Instance[] {
  const others = known.filter(({ id }) => id !== beat.instance)
  return [...others, { id: beat.instance, beat: beat.beat, at: beat.at }].slice(-instancesKept)
}
