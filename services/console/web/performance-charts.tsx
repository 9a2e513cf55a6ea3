import type { DecisionOut } from '@interlock/contracts'
import type { DeploymentPage, Series, SeriesPoint } from '../src/api.ts'
import { type ChartFlag, type ChartLine, TimeChart } from './time-chart.tsx'
import { percent, shortVersion } from './words.ts'

/** Decisions that a chart flags; others are in the timeline. */
const flagged: Readonly<Partial<Record<DecisionOut['outcome'], string>>> = {
  'rollout-started': 'rollout started',
  promoted: 'moved on',
  completed: 'completed',
  held: 'held',
  halted: 'halted',
  'rolled-back': 'past its limit: rollback ordered',
  'fell-back': 'fallback ordered',
  verified: 'verified',
  escalated: 'escalated',
  'data-incident': 'data incident',
  'not-watched': 'not watched',
}
const mostFlags = 6
/** A step in time that is longer than so many panes is a gap, whatever the points say. */
const gapPanes = 3

/** Errors and slow answers of both versions, pane by pane. */
export function PerformanceCharts({ page, series }: { readonly page: DeploymentPage; readonly series: Series }) {
  const { times, byVersion } = aligned(series.panes)
  if (times.length < 2) return null
  const paneMs = page.policy?.policy.times.paneMs ?? 10_000
  const versions = [...byVersion.keys()]
  const lines = (read: (point: SeriesPoint) => number): ChartLine[] =>
    versions.map((version) => {
      const isStable = version === page.state.view.stable
      const points = byVersion.get(version)
      return {
        name: shortVersion(version),
        colour: isStable ? '--stable' : '--candidate',
        isThick: !isStable,
        values: times.map((at) => {
          const point = points?.get(at)
          return point === undefined || point.rows === 0 || point.coverage < 1 ? null : read(point)
        }),
      }
    })
  const shared = {
    times,
    flags: flagsOf(page, times),
    onset: page.because?.guardrail?.evidence.onset ?? null,
    gaps: gapsOf(times, series.panes, paneMs),
  }
  const names = versions.map(shortVersion).join(' and ')
  return (
    <section className="two" aria-label="Over time">
      <div className="card">
        <TimeChart
          {...shared}
          title="Errors"
          sentence={`Part of the answers of ${names} that failed`}
          lines={lines(({ errors, rows }) => errors / rows)}
          say={(share) => percent(share, share < 0.1 ? 1 : 0)}
        />
      </div>
      <div className="card">
        <TimeChart
          {...shared}
          title="Slowest answers"
          sentence={`99 in 100 answers of ${names} came within this time`}
          lines={lines(({ p99 }) => p99)}
          say={(ms) => `${Math.round(ms)} ms`}
        />
      </div>
    </section>
  )
}

function aligned(points: readonly SeriesPoint[]) {
  const byVersion = new Map<string, Map<number, SeriesPoint>>()
  for (const point of points) {
    const line = byVersion.get(point.version) ?? new Map<number, SeriesPoint>()
    byVersion.set(point.version, line.set(point.at, point))
  }
  const times = [...new Set(points.map(({ at }) => at))].sort((a, b) => a - b)
  return { times, byVersion }
}

function flagsOf({ decisions }: DeploymentPage, times: readonly number[]): readonly ChartFlag[] {
  const [first = 0] = times
  return decisions
    .filter(({ at, outcome }) => at >= first && flagged[outcome] !== undefined)
    .slice(0, mostFlags)
    .map(({ at, outcome, after, guardrail }) => ({ at, words: flagWords(outcome, after.share, guardrail !== null) }))
    .reverse()
}

function flagWords(outcome: DecisionOut['outcome'], share: number, hasEvidence: boolean): string {
  if (outcome === 'promoted') return share === 0 ? 'shadow began' : `moved on to ${percent(share)}`
  if (outcome === 'rolled-back' && !hasEvidence) return 'rollback ordered by a person'
  return flagged[outcome] ?? outcome
}

/** Panes without whole data of anybody, and times of which nothing was told. */
function gapsOf(
  times: readonly number[],
  points: readonly SeriesPoint[],
  paneMs: number,
): readonly (readonly [number, number])[] {
  const seen = new Set(points.filter(({ rows, coverage }) => rows > 0 && coverage >= 1).map(({ at }) => at))
  const untold = times.flatMap((at, index) => {
    const next = times[index + 1]
    // Thinned lines have steps of their own; only steps beyond all others are gaps.
    return next !== undefined && next - at > gapPanes * Math.max(paneMs, usualStep(times))
      ? [[at + paneMs, next] as const]
      : []
  })
  return [...times.filter((at) => !seen.has(at)).map((at) => [at, at + paneMs] as const), ...untold]
}

function usualStep(times: readonly number[]): number {
  const steps = times.slice(1).map((at, index) => at - (times[index] as number))
  return steps.sort((a, b) => a - b)[Math.floor(steps.length * 0.9)] ?? 0
}
