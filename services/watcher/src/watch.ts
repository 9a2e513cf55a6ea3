import type { Heartbeat } from '@interlock/contracts'
import { hear } from './heard.ts'
import { longestLookMs, lookEveryMs, unitsOf, type WatchRules } from './rules.ts'
import { incidentSentence, resolvedSentence } from './say.ts'
import type { Incident, Page, Trouble, Unit, WatchState } from './state.ts'

/**
 * One look of a watcher: takes what was heard since the last one, decides what does not move, and what people are to be told.
 * Pure: what it cannot know it is given.
 *
 * @param heard  verified heartbeats, in the order in which they came
 * @param now  the watcher's own time, ms; it never goes back
 */
export function watch(rules: WatchRules, before: WatchState, heard: readonly Heartbeat[], now: number): WatchState {
  let state = excused(started(rules, before, now), now)
  for (const beat of heard) {
    const next = hear(rules, state, beat, now)
    if (!('ignored' in next)) state = next
  }
  return told(rules, grouped(rules, recovered(rules, { ...state, now }, now), now), now)
}

/** A message reached a receiver: it leaves the outbox, and the other watcher need not repeat it. */
export function arrived(state: WatchState, page: string): WatchState {
  const sent = state.outbox.find(({ id }) => id === page)
  if (sent === undefined) return state
  return {
    ...state,
    outbox: state.outbox.filter(({ id }) => id !== page),
    incidents: state.incidents.map((one) => (one.id === sent.incident ? { ...one, arrived: true } : one)),
  }
}

/** What people were told of by this watcher: for the other one. */
export function pagedUnits({ incidents }: WatchState): readonly string[] {
  return incidents.filter((one) => one.arrived).flatMap(({ troubles }) => Object.keys(troubles))
}

/** What does not move now, whether or not people were told. */
export function troubledUnits({ incidents }: WatchState): readonly string[] {
  return incidents.flatMap(({ troubles }) => Object.keys(troubles))
}

/** Adds what is to be watched and takes away what no longer is. */
function started(rules: WatchRules, state: WatchState, now: number): WatchState {
  const wanted = unitsOf(rules)
  const names = Object.keys(state.units)
  if (names.length === wanted.size && names.every((name) => wanted.has(name))) return state
  const units: Record<string, Unit> = {}
  for (const name of wanted.keys()) {
    units[name] = state.units[name] ?? {
      mark: null,
      movedAt: now,
      graceUntil: now + rules.times.startMs,
      overdue: null,
    }
  }
  return { ...state, units }
}

/** Time in which this watcher did not look is nobody's fault. */
function excused(state: WatchState, now: number): WatchState {
  const gap = now - state.now
  if (gap <= longestLookMs) return state
  const shift = gap - lookEveryMs
  const units = Object.fromEntries(
    Object.entries(state.units).map(([name, unit]) => {
      const overdue = unit.overdue === null ? null : { ...unit.overdue, at: unit.overdue.at + shift }
      return [name, { ...unit, movedAt: unit.movedAt + shift, overdue }]
    }),
  )
  const incidents = state.incidents.map((incident): Incident => {
    const troubles = Object.entries(incident.troubles).map(
      ([name, each]) => [name, { ...each, movesSince: null }] as const,
    )
    return { ...incident, troubles: Object.fromEntries(troubles) }
  })
  return { ...state, units, incidents }
}

/** For how long a unit has not moved, as it counts for noticing and telling. */
export function stillMs(rules: WatchRules, name: string, unit: Unit, now: number): number {
  const { noticeMs, probeRoundMs } = rules.times
  if (now < unit.graceUntil) return 0
  const still = now - Math.max(unit.movedAt, unit.graceUntil - noticeMs)
  if (!name.startsWith('probe ')) return still
  // A round is late by its own count, or no round has ended well for longer than one takes: both begin where noticing does.
  const late = unit.overdue === null ? 0 : noticeMs + unit.overdue.ms + (now - unit.overdue.at)
  return Math.max(late, still > probeRoundMs ? noticeMs + still - probeRoundMs : 0)
}

/** Lets troubles end that move again for long enough. */
function recovered(rules: WatchRules, state: WatchState, now: number): WatchState {
  if (state.incidents.length === 0) return state
  const { movingMs, calmMs, probeCalmMs } = rules.times
  const incidents = state.incidents.map((incident): Incident => {
    const troubles: Record<string, Trouble> = {}
    for (const [name, trouble] of Object.entries(incident.troubles)) {
      const unit = state.units[name]
      if (unit === undefined) continue
      const moves = stillMs(rules, name, unit, now) < movingMs && now >= unit.graceUntil
      const movesSince = moves ? (trouble.movesSince ?? now) : null
      const calm = name.startsWith('probe ') ? probeCalmMs : calmMs
      if (movesSince === null || now - movesSince < calm) troubles[name] = { ...trouble, movesSince }
    }
    return { ...incident, troubles }
  })
  return { ...state, incidents }
}

/** New troubles join an incident that has just begun, or are one of their own. */
function grouped(rules: WatchRules, state: WatchState, now: number): WatchState {
  const { noticeMs, groupMs } = rules.times
  const known = new Set(state.incidents.flatMap(({ troubles }) => Object.keys(troubles)))
  const fresh = Object.entries(state.units).flatMap(([name, unit]) => {
    const still = stillMs(rules, name, unit, now)
    return still >= noticeMs && !known.has(name)
      ? [[name, { since: now - still, noticedAt: now, movesSince: null }] as const]
      : []
  })
  if (fresh.length === 0) return state
  const troubles = Object.fromEntries(fresh)
  const units = fresh.map(([name]) => name)
  // Where a shard stands still the probe cannot be verified: that is one incident, however late its round shows it.
  const isConsequence = units.every((name) => name.startsWith('probe '))
  const open = state.incidents.findLast(({ openedAt, troubles: its }) => {
    const names = Object.keys(its)
    const isFresh = names.length > 0 && now - openedAt < groupMs
    return isFresh || (isConsequence && names.some((name) => name.startsWith('shard ')))
  })
  if (open === undefined) {
    const count = state.count + 1
    const id = `${rules.environment}/${rules.self}/${count}`
    const incident = { id, openedAt: now, troubles, units, told: 0, toldAt: null, named: 0, arrived: false }
    return { ...state, count, incidents: [...state.incidents, incident] }
  }
  const joined: Incident = {
    ...open,
    troubles: { ...open.troubles, ...troubles },
    units: [...open.units, ...units.filter((name) => !open.units.includes(name))],
  }
  return { ...state, incidents: state.incidents.map((one) => (one === open ? joined : one)) }
}

/** Writes what people are to be told into the outbox. */
function told(rules: WatchRules, state: WatchState, now: number): WatchState {
  const pages: Page[] = []
  const incidents = state.incidents.flatMap((incident): readonly Incident[] => {
    const kind = dueFor(rules, state, incident, now)
    const isOver = Object.keys(incident.troubles).length === 0
    if (kind === null) return isOver ? [] : [incident]
    const n = incident.told + 1
    pages.push({
      id: `${incident.id}/${n}`,
      incident: incident.id,
      kind,
      at: now,
      units: Object.keys(incident.troubles),
      sentence: isOver
        ? resolvedSentence(rules.environment, incident, now)
        : incidentSentence(rules.environment, incident, state.units, now),
    })
    return isOver ? [] : [{ ...incident, told: n, toldAt: now, named: incident.units.length }]
  })
  if (pages.length === 0 && incidents.length === state.incidents.length) return state
  return { ...state, incidents, outbox: [...state.outbox, ...pages].slice(-outboxBound) }
}

/** Messages that wait for a receiver; of more the newest are worth most. */
const outboxBound = 100

function dueFor(rules: WatchRules, state: WatchState, incident: Incident, now: number): Page['kind'] | null {
  const { pageMs, updateMs, repeatMs } = rules.times
  const open = Object.keys(incident.troubles)
  if (open.length === 0) return incident.told > 0 ? 'resolved' : null
  if (incident.toldAt !== null) {
    if (incident.units.length > incident.named && now - incident.toldAt >= updateMs) return 'update'
    return now - incident.toldAt >= repeatMs ? 'repeat' : null
  }
  const patience = pageMs + rules.waitForPeerMs
  const long = open.filter((name) => {
    const unit = state.units[name]
    return unit !== undefined && stillMs(rules, name, unit, now) >= patience
  })
  return long.length > 0 && !peerHasTold(rules, state, long, now) ? 'open' : null
}

/** The other watcher lives and has told people of all of it. */
function peerHasTold(rules: WatchRules, state: WatchState, open: readonly string[], now: number): boolean {
  const name = `component ${rules.peer}`
  const peer = state.units[name]
  if (peer === undefined || now - peer.movedAt >= rules.times.noticeMs) return false
  return open.every((each) => state.peerPaged.includes(each))
}
