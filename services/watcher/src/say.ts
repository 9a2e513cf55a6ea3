import type { Incident, Unit } from './state.ts'

/** "12 s", "3 min", "2 h": as people say it. */
export function forHowLong(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}

/** What is wrong, since when, and what to do, in plain sentences. */
export function incidentSentence(
  environment: string,
  incident: Incident,
  units: Readonly<Record<string, Unit>>,
  now: number,
): string {
  const open = incident.units.filter((name) => incident.troubles[name] !== undefined)
  const longest = Math.max(...open.map((name) => now - incident.troubles[name]!.since))
  const parts = [silent(open), stalled(open), probed(open, units)].filter((part) => part !== null)
  return (
    `Interlock may not be guarding "${environment}": ${parts.join('; ')}; for ${forHowLong(longest)}.` +
    ' Until it goes on, no bad version is stopped by it. Look at the processes and their logs (docs/operations.md, "When the' +
    ' dead-man\'s switch pages"), and hold rollouts until then.'
  )
}

export function resolvedSentence(environment: string, incident: Incident, now: number): string {
  const all = incident.units.map((name) => name.replace(/^probe /, '').replace(/^component /, ''))
  return `Interlock guards "${environment}" again: ${listed(all)} moved on, after ${forHowLong(now - incident.openedAt)}.`
}

function silent(open: readonly string[]): string | null {
  const names = named(open, 'component ')
  return names.length === 0 ? null : `no sign of life from ${listed(names)}`
}

function stalled(open: readonly string[]): string | null {
  const names = named(open, 'shard ')
  if (names.length === 0) return null
  return `no progress in ${names.length === 1 ? 'shard' : `${names.length} shards:`} ${listed(names)}`
}

function probed(open: readonly string[], units: Readonly<Record<string, Unit>>): string | null {
  if (!open.includes('probe probe')) return null
  const waits = units['probe probe']?.overdue?.waitsFor
  return `the probe's rollback was not verified in time${waits === undefined ? '' : ` (it waits for ${waits})`}`
}

function named(open: readonly string[], kind: string): readonly string[] {
  return open.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length))
}

const namesShown = 6

function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).join(', ')
  return names.length > namesShown ? `${shown} and ${names.length - namesShown} more` : shown
}
