import type { EvidenceOut, StateOut, VersionId } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type GapCause,
  type Guarded,
  guardedOf,
  noWatchfulness,
  type Watchfulness,
  watchfulnessBound,
  withEvidence,
  withStanding,
  withWatchFrom,
} from './guarded.ts'

const [v1, v2] = ['m@v1' as VersionId, 'm@v2' as VersionId]
const paneMs = 10
const inTimeMs = 25

interface Seen {
  readonly version: VersionId
  readonly rows: number
  readonly variant?: 'stable' | 'candidate' | 'shadow'
  readonly status?: 'ok' | 'too-few' | 'no-data' | 'incomplete'
}

function evidence(pane: number, seen: readonly Seen[], coverage = 1): EvidenceOut {
  return {
    pane,
    paneMs,
    coverage,
    generation: 1,
    summaries: seen.map(({ version, rows, variant = 'stable' }) => ({ version, variant, rows })),
    guardrails: seen
      .filter(({ status }) => status !== undefined)
      .map(({ version, status }) => ({ guardrail: 'g', version, evidence: { status } })),
  } as unknown as EvidenceOut
}

function state(at: number, share: number, candidate: VersionId | null = v2, holds: readonly string[] = []): StateOut {
  return {
    at,
    view: { stable: v1, candidate, share, holds: holds.map((owner) => ({ owner, reason: '' })) },
  } as unknown as StateOut
}

const of = (guarded: Guarded, version: VersionId) => {
  const found = guarded.versions.find((one) => one.version === version)
  return (
    found && {
      serving: found.servingMs,
      watched: found.watchedMs,
      gaps: found.gaps.map(({ from, to, cause }) => [from, to, cause]),
    }
  )
}

test('a version that answers under rules that speak, in panes that are whole and in time, is watched all the time', () => {
  let known = withWatchFrom(withStanding(noWatchfulness, state(0, 0, null)), 0)
  for (let pane = 0; pane < 100; pane += paneMs) {
    known = withEvidence(known, evidence(pane, [{ version: v1, rows: 5, status: 'ok' }]), pane + paneMs + 5, inTimeMs)
  }
  expect(known.runs).toHaveLength(1)
  expect(of(guardedOf(known, 0, 100, 40), v1)).toEqual({ serving: 100, watched: 100, gaps: [] })
})

test('each cause makes a gap of its own, as long as it lasts', () => {
  let known = withStanding(noWatchfulness, state(3, 0, null))
  known = withWatchFrom(known, 10)
  const both = (status: Seen['status'], rows = 5): readonly Seen[] => [
    { version: v1, rows: 5, status: 'ok' },
    { version: v2, rows, variant: 'candidate', ...(status === undefined ? {} : { status }) },
  ]
  known = withEvidence(known, evidence(10, [{ version: v1, rows: 5, status: 'ok' }]), 21, inTimeMs)
  known = withStanding(known, state(20, 0.5))
  known = withEvidence(known, evidence(20, both(undefined)), 31, inTimeMs)
  known = withEvidence(known, evidence(30, both('too-few')), 41, inTimeMs)
  known = withEvidence(known, evidence(40, both('ok')), 51, inTimeMs)
  known = withEvidence(known, evidence(50, both('ok'), 0.5), 61, inTimeMs)
  known = withEvidence(known, evidence(60, both('ok', 0)), 71, inTimeMs)
  known = withEvidence(known, evidence(70, both('ok')), 80 + inTimeMs + 1, inTimeMs)
  known = withStanding(known, state(85, 0.5, v2, ['grant']))
  known = withEvidence(known, evidence(80, both('ok')), 91, inTimeMs)
  const guarded = guardedOf(known, 0, 200, 60)
  expect([guarded.from, guarded.to]).toEqual([3, 140])
  expect(of(guarded, v2)).toEqual({
    serving: 120,
    watched: 15,
    gaps: [
      [20, 30, 'not-in-force'],
      [30, 40, 'too-few'],
      [50, 60, 'incomplete'],
      [60, 70, 'no-data'],
      [70, 80, 'stalled'],
      [85, 90, 'grant-lapsed'],
      [90, 140, 'stalled'],
    ],
  })
  expect(of(guarded, v1)?.gaps).toEqual([
    [3, 10, 'not-in-force'],
    [50, 60, 'incomplete'],
    [70, 80, 'stalled'],
    [90, 140, 'stalled'],
  ])
})

test('answers in the shadow are no serving time', () => {
  const known = withEvidence(
    noWatchfulness,
    evidence(0, [{ version: v2, rows: 9, variant: 'shadow', status: 'ok' }]),
    11,
    inTimeMs,
  )
  expect(guardedOf(known, 0, 10, 0).versions).toEqual([])
})

test('what is kept is bounded, and what was dropped is not claimed', () => {
  let known: Watchfulness = withStanding(noWatchfulness, state(0, 0, null))
  const panes = watchfulnessBound + 50
  for (let index = 0; index < panes; index++) {
    const rows = index % 2
    known = withEvidence(
      known,
      evidence(index * paneMs, [{ version: v1, rows, status: 'ok' }]),
      (index + 1) * paneMs,
      inTimeMs,
    )
  }
  expect(known.runs).toHaveLength(watchfulnessBound)
  const guarded = guardedOf(known, 0, panes * paneMs, 0)
  expect(guarded.from).toBe(50 * paneMs)
})

test('gaps and watched time are a partition of the serving time, and say of each moment what is defined for it', () => {
  const status = fc.constantFrom('ok', 'ok', 'too-few', 'no-data', 'incomplete', undefined)
  const pane = fc.record({
    skip: fc.boolean(),
    rows: fc.tuple(fc.nat(2), fc.nat(2)),
    status: fc.tuple(status, status),
    coverage: fc.constantFrom(1, 1, 1, 0.5),
    delay: fc.nat(40),
  })
  const order = fc.record({
    at: fc.nat(120),
    share: fc.constantFrom(0, 0.5, 1),
    candidate: fc.boolean(),
    lapsed: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.array(pane, { maxLength: 10 }),
      fc.array(order, { maxLength: 6 }),
      fc.option(fc.nat(60), { nil: null }),
      fc.nat(60),
      (panes, orders, watchFrom, since) => {
        let known: Watchfulness = noWatchfulness
        const states = orders
          .toSorted((a, b) => a.at - b.at)
          .map(({ at, share, candidate, lapsed }) =>
            state(at, candidate ? share : 0, candidate ? v2 : null, lapsed ? ['grant'] : []),
          )
        for (const one of states) known = withStanding(known, one)
        if (watchFrom !== null) known = withWatchFrom(known, watchFrom)
        const outs = panes.flatMap(({ skip, rows, status, coverage, delay }, index) => {
          if (skip) return []
          const seen: Seen[] = [v1, v2].map((version, which) => ({
            version: version!,
            rows: rows[which]!,
            ...(status[which] === undefined ? {} : { status: status[which] }),
          }))
          return [{ out: evidence(index * paneMs, seen, coverage), delay, seen }]
        })
        for (const { out, delay } of outs) known = withEvidence(known, out, out.pane + paneMs + delay, inTimeMs)
        const guarded = guardedOf(known, since, 130, 30)

        /** The definition, moment by moment. */
        const said = (version: VersionId, moment: number): GapCause | null | 'not-serving' => {
          const standing = states.findLast(({ at }) => at <= moment)?.view
          const found = outs.find(({ out }) => moment >= out.pane && moment < out.pane + paneMs)
          const seen = found?.seen.find((one) => one.version === version)
          const isOrdered =
            standing !== undefined &&
            ((version === standing.stable && (standing.share < 1 || standing.candidate === null)) ||
              (version === standing.candidate && standing.share > 0))
          if (!isOrdered && !((seen?.rows ?? 0) > 0)) return 'not-serving'
          if (found === undefined) return watchFrom === null || moment < watchFrom ? 'not-in-force' : 'stalled'
          if (found.delay > inTimeMs) return 'stalled'
          if (found.out.coverage < 1 || seen?.status === 'incomplete') return 'incomplete'
          if (seen?.status === undefined) return 'not-in-force'
          if (seen.rows === 0 || seen.status === 'no-data') return 'no-data'
          if (seen.status === 'too-few') return 'too-few'
          const isLapsed = standing?.holds.some(({ owner }) => owner === 'grant') && version === standing.candidate
          return isLapsed ? 'grant-lapsed' : null
        }
        for (const version of [v1!, v2!]) {
          const found = guarded.versions.find((one) => one.version === version)
          let [serving, watched] = [0, 0]
          for (let moment = guarded.from; moment < guarded.to; moment++) {
            const expected = said(version, moment)
            const gaps = (found?.gaps ?? []).filter(({ from, to }) => moment >= from && moment < to)
            if (expected !== 'not-serving') serving++
            if (expected === null) watched++
            expect([moment, gaps.map(({ cause }) => cause)]).toEqual([
              moment,
              expected === null || expected === 'not-serving' ? [] : [expected],
            ])
          }
          expect([found?.servingMs ?? 0, found?.watchedMs ?? 0]).toEqual([serving, watched])
          const gapMs = (found?.gaps ?? []).reduce((sum, { from, to }) => sum + to - from, 0)
          expect(gapMs + watched).toBe(serving)
          expect(Object.values(found?.causes ?? {}).reduce((sum, ms) => sum + ms, 0)).toBe(gapMs)
        }
      },
    ),
    { numRuns: 300 },
  )
})
