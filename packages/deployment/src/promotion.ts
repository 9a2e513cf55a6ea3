import type { CommandState, EngineState, EventTime, Guardrail, Policy, Stage } from '@interlock/contracts'
import type { Hold } from './holds.ts'
import type { Judged } from './judgement.ts'

/** One thing that stands between a candidate and its next stage. */
export type Blocker =
  | { readonly kind: 'hold'; readonly hold: Hold }
  | { readonly kind: 'engine'; readonly engine: EngineState }
  | { readonly kind: 'counting' }
  | { readonly kind: 'command'; readonly state: CommandState }
  | { readonly kind: 'gate'; readonly guardrail: Guardrail; readonly judged: Judged | null }
  | { readonly kind: 'guard'; readonly guardrail: Guardrail; readonly judged: Judged | null }
  | { readonly kind: 'rows'; readonly n: number; readonly needed: number }
  | { readonly kind: 'time'; readonly leftMs: number }

/** Where a rollout stands. Plain JSON. */
export interface StageClock {
  /** −1: waiting until every profiler shard counts under the generation's spec. */
  readonly index: number
  /** First pane that counts for the stage: it lies wholly after the stage's command was applied. Null until then. */
  readonly from: EventTime | null
  /** Rows of the candidate in closed panes of the stage. */
  readonly rows: number
}

export interface PromotionQuestion {
  readonly policy: Policy
  readonly stage: Stage
  readonly clock: StageClock
  /** End of the pane that was closed last. Stage clocks run on pane time. */
  readonly paneEnd: EventTime
  readonly holds: readonly Hold[]
  readonly engines: readonly EngineState[]
  readonly command: CommandState | null
  readonly judged: readonly Judged[]
}

/**
 * Everything that blocks the next stage; empty iff the candidate may be promoted: no hold is open, all three engines
 * are present and fresh, the stage's own command is verified, every gate is Safe, no guard is in breach or without
 * evidence, and minimum sample and time are reached. Time alone never promotes, and absence is never a pass.
 */
export function blockers(question: PromotionQuestion): readonly Blocker[] {
  const { policy, stage, clock, paneEnd, holds, engines, command, judged } = question
  const found: Blocker[] = holds.map((hold) => ({ kind: 'hold', hold }))
  for (const engine of engines) if (engine.state !== 'ok') found.push({ kind: 'engine', engine })
  if (command !== 'verified') found.push({ kind: 'command', state: command ?? 'issued' })
  for (const guardrail of policy.guardrails) found.push(...ruleBlocks(guardrail, judged))
  if (clock.rows < stage.minimumSample) found.push({ kind: 'rows', n: clock.rows, needed: stage.minimumSample })
  const leftMs = stage.minimumMs - elapsedMs(clock, paneEnd)
  if (leftMs > 0) found.push({ kind: 'time', leftMs })
  return found
}

/** Pane time that a stage has run. */
export function elapsedMs(clock: StageClock, paneEnd: EventTime): number {
  return clock.from === null ? 0 : Math.max(0, paneEnd - clock.from)
}

/** Maximum time has passed and the evidence still does not say "safe": an inconclusive stage, which is a hold. */
export function isInconclusive(
  stage: Stage,
  clock: StageClock,
  paneEnd: EventTime,
  found: readonly Blocker[],
): boolean {
  if (clock.from === null || elapsedMs(clock, paneEnd) < stage.maximumMs) return false
  return found.some(({ kind }) => kind === 'gate' || kind === 'guard' || kind === 'rows')
}

function ruleBlocks(guardrail: Guardrail, judged: readonly Judged[]): readonly Blocker[] {
  const kind = guardrail.role
  const own = judged.filter((one) => one.guardrail.id === guardrail.id)
  const aboutCandidate = own.filter((one) => one.evidence.variant !== 'stable')
  // Silence is a rule about whoever has traffic, an amount one about all of them; every other rule must speak about the candidate.
  if ((guardrail.signal === 'volume' ? own : aboutCandidate).length === 0) return [{ kind, guardrail, judged: null }]
  const blocking = own.find((one) =>
    kind === 'gate' ? one.verdict !== 'pass' : one.verdict !== 'pass' && one.verdict !== 'watch',
  )
  return blocking === undefined ? [] : [{ kind, guardrail, judged: blocking }]
}
