import type { EventTime, GuardrailEvidence, SliceCounts, VersionId, WatchOut } from '@interlock/contracts'
import { type SummedPane, sumPane, unmovedAfter } from './closed-pane.ts'
import { addCounts, emptyPane } from './panes.ts'
import { type Methods, planOf } from './plan.ts'
import type { Track } from './state.ts'
import { moveTrack, readTrack, startTrack } from './tracks.ts'

/** Whole counts of one version in one pane. */
export interface TrialCounts {
  readonly version: VersionId
  readonly rows: number
  readonly slices: readonly SliceCounts[]
}

/**
 * Guardrails of a watch on panes that are long past: the same counting, slices, detectors and limits as live, without a
 * log. Panes come in order of time, each whole; a pane without a row is a pane too.
 */
export class Trial {
  readonly #watch: WatchOut
  readonly #plan: ReturnType<typeof planOf>
  #tracks = new Map<string, Track>()
  #unmoved: readonly SummedPane[] = []

  constructor(watch: WatchOut, methods: Methods) {
    this.#watch = watch
    this.#plan = planOf(watch, methods)
  }

  /** Closes one pane, and says what each guardrail knows after it. */
  close(start: EventTime, counts: readonly TrialCounts[]): readonly GuardrailEvidence[] {
    const { deployment, generation, stable, specHash } = this.#watch
    const open = addCounts(
      emptyPane,
      counts.map(({ version, rows, slices }) => ({
        kind: 'counts',
        deployment,
        generation,
        version,
        variant: version === stable ? 'stable' : 'candidate',
        pane: start,
        spec: specHash,
        rows,
        slices,
        span: { topic: '', partition: 0, from: 0n, to: 0n },
      })),
    )
    const pane = sumPane(this.#plan, open, start, 1)
    const moved = this.#plan.subjects.map((subject) => {
      const track = this.#tracks.get(subject.key) ?? startTrack(subject, start)
      return [subject, moveTrack(this.#plan, subject, track, this.#unmoved, pane)] as const
    })
    this.#tracks = new Map(moved.map(([{ key }, track]) => [key, track]))
    this.#unmoved = unmovedAfter(this.#plan, this.#unmoved, pane)
    return moved.map(([subject, track]) => readTrack(this.#plan, subject, track, pane, { deployment, generation }))
  }
}
