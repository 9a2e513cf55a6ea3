import {
  type AnyOut,
  type DecisionKind,
  type DeploymentId,
  type DeploymentView,
  probeDeployment,
  type VersionId,
} from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import { probeCandidate, probePolicy, probeStable, probeVersions, releaseOf } from './documents.ts'
import { firstRound, hearGovernor, nextWish, progressOf, type Rounds, roundTimes, type Wish } from './rounds.ts'

function viewOf(phase: DeploymentView['phase'], change: Partial<DeploymentView> = {}): DeploymentView {
  return {
    phase,
    generation: 1,
    stable: probeStable,
    candidate: null,
    stage: null,
    stageIndex: -1,
    share: 0,
    holds: [],
    order: [1, 0, 0, 1],
    ...change,
  }
}

function state(view: DeploymentView, command: string | null, isApproved = true): AnyOut {
  return {
    kind: 'state',
    deployment: probeDeployment as DeploymentId,
    at: 0,
    view,
    attention: 'healthy',
    sentence: '',
    engines: [{ engine: 'approvals', state: isApproved ? 'ok' : 'missing', detail: '' }],
    blocked: [],
    verdicts: [],
    stageSince: null,
    command: command === null ? null : ({ state: command } as never),
    dataTo: null,
  }
}

function decision(outcome: DecisionKind, rule: string, after: DeploymentView): AnyOut {
  return { kind: 'decision', outcome, rule, text: 'refused: a reason', after } as never
}

const exposed = viewOf('rolling-out', { candidate: 'interlock-probe@1' as VersionId, share: 0.5 })

/** Plays the governor and asks for the probe's wishes each 250 ms. */
class Play {
  now = 0
  rounds: Rounds = firstRound(0, 1)
  readonly wishes: [number, Wish][] = []

  pass(ms: number): this {
    for (const end = this.now + ms; this.now < end; this.now += 250) {
      const [next, wish] = nextWish(this.rounds, this.now)
      this.rounds = next
      if (wish !== null) this.wishes.push([this.now, wish])
    }
    return this
  }

  says(out: AnyOut): this {
    this.rounds = hearGovernor(this.rounds, out, this.now)
    return this
  }

  /** From the start to the first breach. */
  breaching(): this {
    this.pass(1_000).says(state(viewOf('steady'), null))
    return this.pass(1_000).says(state(exposed, 'issued')).pass(3_000).says(state(exposed, 'verified'))
  }

  verified(): this {
    return this.says(state(viewOf('rolled-back'), 'verified'))
  }

  progress() {
    return progressOf(this.rounds, this.now, null)
  }

  asked(): readonly Wish[] {
    return this.wishes.map(([, wish]) => wish)
  }
}

describe('a round', () => {
  test('goes from the introduction over canary and breach to the verified rollback, and the next begins a minute later', () => {
    const play = new Play().breaching()
    expect(play.rounds.phase).toBe('breaching')
    play.pass(6_000).verified()
    expect(play.progress()).toMatchObject({ rounds: 1, verified: 1, tookMs: 6_000, overdueMs: 0 })
    play.pass(70_000)
    const begun = play.wishes.filter(([, wish]) => wish === 'roll-out').map(([at]) => at)
    expect(begun.length).toBeGreaterThanOrEqual(2)
    expect(begun[1]! - begun[0]!).toBe(roundTimes.everyMs)
  })

  test('is late from 15 s after its breach on, and not a moment earlier', () => {
    const play = new Play().breaching().pass(roundTimes.verifiedMs)
    expect(play.progress().overdueMs).toBe(0)
    play.pass(2_000)
    expect(play.progress()).toMatchObject({ overdueMs: 2_000, waitsFor: 'the verified rollback of its breach' })
    play.verified()
    expect(play.progress()).toMatchObject({ verified: 1, overdueMs: 0 })
  })

  test('is not verified by an order that the platform has merely taken', () => {
    const play = new Play().breaching().pass(2_000)
    for (const command of ['issued', 'received', 'applied', 'escalated']) {
      play.says(state(viewOf('rolling-back'), command)).says(state(viewOf('rolled-back'), command))
    }
    expect(play.progress().verified).toBe(0)
  })

  test('that is lost is taken back by hand, counts as late all the while, and is never counted as verified', () => {
    const play = new Play().breaching().pass(roundTimes.givenUpMs + 1_000)
    expect(play.asked().at(-1)).toBe('roll-back')
    expect(play.progress().overdueMs).toBeGreaterThan(roundTimes.givenUpMs - 1_000)
    play.verified().pass(1_000)
    expect(play.progress().verified).toBe(0)
    expect(play.rounds.phase).toBe('rolling-out')
  })

  test('a refused rollout is asked for again with the next version, and is late when that does not help', () => {
    const play = new Play()
      .pass(1_000)
      .says(state(viewOf('steady'), null))
      .pass(1_000)
    const { turn } = play.rounds
    play.says(decision('refused', 'rollout', viewOf('steady'))).pass(roundTimes.againMs + 500)
    expect(play.asked().filter((wish) => wish === 'roll-out')).toHaveLength(2)
    expect(play.rounds.turn).toBe(turn + 1)
    play.says(decision('refused', 'rollout', viewOf('steady'))).pass(roundTimes.exposedMs)
    play.says(decision('refused', 'rollout', viewOf('steady')))
    expect(play.progress().overdueMs).toBeGreaterThan(0)
    expect(play.progress().waitsFor).toContain('refused: a reason')
  })
})

describe('a probe that starts', () => {
  test('introduces itself until it is approved, and is late when nobody answers', () => {
    const play = new Play().pass(roundTimes.introducedMs + 5_000)
    expect(play.asked().filter((wish) => wish === 'introduce').length).toBeGreaterThan(4)
    expect(play.progress().overdueMs).toBeGreaterThan(4_000)
    play.says(state(viewOf('steady'), null, false)).pass(1_000)
    expect(play.rounds.phase).toBe('introducing')
  })

  test('long after its registration hears by a rollout where it stands', () => {
    const play = new Play().pass(roundTimes.silentMs + 12_000)
    expect(play.asked()).toContain('roll-out')
    play.says(decision('rollout-started', 'request', viewOf('rolling-out')))
    expect(play.rounds.phase).toBe('rolling-out')
    play.says(state(exposed, 'verified'))
    expect(play.rounds.phase).toBe('breaching')
  })

  test('in the middle of a rollout that an earlier process began takes it back first', () => {
    const play = new Play().pass(roundTimes.silentMs + 12_000)
    play.says(decision('refused', 'rollout', exposed)).pass(roundTimes.againMs)
    expect(play.asked().at(-1)).toBe('roll-back')
    play.says(state(viewOf('rolled-back'), 'verified')).pass(roundTimes.againMs)
    expect(play.rounds.phase).toBe('rolling-out')
    expect(play.progress().verified).toBe(0)
  })
})

describe('documents of the probe', () => {
  test('are the same bytes each time, in force by its own policy, and never of a version that was just rolled back', () => {
    expect(releaseOf(probeCandidate(3))).toEqual(releaseOf(probeCandidate(3 + probeVersions)))
    // The governor remembers the newest 64 (services/governor recordBounds).
    const newest = Array.from({ length: 64 }, (_, turn) => probeCandidate(turn))
    expect(newest).not.toContain(probeCandidate(64))
    const { brakes, stages } = probePolicy().policy
    expect(brakes.rollbacksPerHour).toBeGreaterThan(3_600_000 / roundTimes.everyMs)
    expect(stages[0]).toMatchObject({ share: 0.5, minimumSample: 1_000_000_000 })
  })
})
