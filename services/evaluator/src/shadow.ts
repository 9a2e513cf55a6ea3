import { canonicalJson, type EvidenceOut, type Hash } from '@interlock/contracts'
import { type ClosedPane, unmovedAfter } from './closed-pane.ts'
import type { ShadowHistory, Watched } from './state.ts'
import { moveTrack, readTrack, startTrack } from './tracks.ts'

/**
 * Moves the rules of the policy on trial over a closed pane. A rule that the policy in force has too reads that one's history;
 * all others keep their own, apart from it, so that a rule that comes into force later starts as if nobody had tried it.
 *
 * @param watched  after the rules in force moved, and before the pane is taken off
 * @returns the histories with this pane, and what the rules know
 */
export function moveShadow(
  watched: Watched,
  tracks: Watched['tracks'],
  pane: ClosedPane,
  identity: { readonly deployment: string; readonly generation: number },
): {
  readonly shadow: ShadowHistory
  readonly said: NonNullable<EvidenceOut['shadow']>
  readonly bytes: number
} | null {
  const { plan, watch } = watched
  if (plan?.shadow == null || watch?.shadow === undefined) return null
  const before = historyOf(watched, watch.shadow.hash)
  const own = new Map(
    plan.shadow.subjects
      .filter(({ key }) => !tracks.has(key))
      .map((subject) => {
        const track = before.tracks.get(subject.key) ?? startTrack(subject, pane.start)
        return [subject.key, moveTrack(plan, subject, track, before.unmoved, pane)]
      }),
  )
  const guardrails = plan.shadow.subjects.map((subject) =>
    readTrack(plan, subject, (tracks.get(subject.key) ?? own.get(subject.key))!, pane, identity),
  )
  const shadow = { ...before, tracks: own, unmoved: unmovedAfter(plan.shadow, before.unmoved, pane) }
  const said = { policy: before.policy, guardrails }
  return { shadow, said, bytes: canonicalJson(said).length }
}

/** Of the generation and policy at hand; another one begins anew. */
function historyOf({ shadow, watch }: Watched, policy: Hash): ShadowHistory {
  const generation = watch?.generation ?? 0
  const isSame = shadow?.policy === policy && shadow.generation === generation
  return isSame ? shadow : { policy, generation, tracks: new Map(), unmoved: [] }
}
