import { bestDelay, detectorFor } from '@interlock/statistics'
import { random } from '../sampling/random.ts'
import type { ChartKind } from './chart.ts'
import { oracle, ours, peersOf } from './charts.ts'
import { type Delay, delays, type Setting } from './delay.ts'
import { type Family, information, sizeFor } from './families.ts'
import { calibrate, healthyRecords, type RunLength, runLength } from './run-length.ts'
import { courses, independent, type Noise, panesOf } from './stream.ts'

/** How much is drawn. */
export interface Scale {
  /** Healthy streams of each family and their panes, as a multiple of the run length. */
  readonly nullStreams: number
  readonly nullLengths: number
  readonly changeStreams: number
  readonly seed: number
}

/** Best delays, in panes, that the magnitudes stand for. */
export const magnitudes = { XS: 200, S: 50, M: 10, L: 2 } as const
export type Magnitude = keyof typeof magnitudes

/** Healthy panes before a change, so that it meets a warm chart at no special moment. */
const warm = [50, 150] as const

export interface Measured {
  readonly family: string
  readonly run: number
  readonly change: string
  readonly chart: string
  readonly whose: ChartKind['whose']
  /** calibrated: threshold set to this run length on the healthy streams; nominal: as published or promised. */
  readonly setting: 'calibrated' | 'nominal'
  /** Run length of the setting on the healthy streams. */
  readonly length: RunLength
  /** Best mean delay at `run` in Brownian approximation; null where the course of the change has no such bound. */
  readonly best: number | null
  readonly nats: number | null
  /** null: every stream alarmed before the change. */
  readonly delay: Delay | null
}

/** A change of a family at a size, and how its course is called. */
export interface ChangeOf {
  readonly name: string
  readonly size: number
  readonly course: keyof typeof courses
  readonly healthy?: readonly [number, number]
}

/** Detectors that a family asks for and the product does not have. */
export function absent(family: Family): readonly string[] {
  return family.detectors.filter((id) => (detectorFor(id as never) as unknown) === undefined)
}

/** The four magnitudes of a family at a run length, abrupt, and the size of M in its other courses. */
export function changesOf(family: Family, run: number, only: readonly Magnitude[]): readonly ChangeOf[] {
  const sized = only.map((name) => ({ name, size: sizeFor(family, magnitudes[name], run), course: 'abrupt' as const }))
  const medium = sizeFor(family, magnitudes.M, run)
  const slow = (['gradual', 'incremental', 'recurring'] as const).map((course) => ({
    name: `M, ${course}`,
    size: medium,
    course,
  }))
  return [...sized, ...slow]
}

/**
 * Every chart of a family at one run length: thresholds from the same healthy streams, delays from the same changed ones.
 * The oracle knows each change; the others do not.
 */
export function compare(family: Family, run: number, changes: readonly ChangeOf[], scale: Scale): readonly Measured[] {
  const kinds = [...family.detectors.flatMap((id) => ours(family, id, 1) ?? []), ...peersOf(family)]
  const oracles = changes.map(({ size }) => oracle(family, size))
  const panes = Math.round(run * scale.nullLengths)
  const all = [...kinds, ...oracles]
  const records = healthyRecords(family, independent, all, { streams: scale.nullStreams, panes, seed: scale.seed })
  const settingsOf = (kind: ChartKind): (Setting & Pick<Measured, 'setting' | 'length'>)[] => {
    const found = records[all.indexOf(kind)]!
    const made = [
      { setting: 'calibrated' as const, threshold: calibrate(found, panes, run) },
      { setting: 'nominal' as const, threshold: kind.threshold(run) },
    ]
    return made.flatMap(({ setting, threshold }) =>
      threshold === null ? [] : [{ kind, setting, threshold, length: runLength(found, panes, threshold) }],
    )
  }
  const common = kinds.flatMap(settingsOf)
  return changes.flatMap(({ name, size, course, healthy }, index) => {
    const settings = [...settingsOf(oracles[index]!), ...common]
    const nats = information(family, size)
    const best = course === 'abrupt' ? bestDelay(run, nats) : null
    const horizon = Math.round(Math.min(1_000, Math.max(150, 8 * bestDelay(run, nats))))
    const plan = { family, noise: independent, size, course: courses[course] }
    const change = { plan, streams: scale.changeStreams, healthy: healthy ?? warm, horizon, seed: scale.seed + 500_000 }
    return delays(change, settings).map((delay, k): Measured => {
      const { kind, setting, length } = settings[k]!
      const { name: chart, whose } = kind
      return {
        family: family.id,
        run,
        change: name,
        chart,
        whose,
        setting,
        length,
        best,
        nats: best === null ? null : nats,
        delay,
      }
    })
  })
}

export interface Promise {
  readonly family: string
  readonly detector: string
  readonly noise: string
  readonly phi: number
  readonly nominal: number
  readonly length: RunLength
}

/** Panes of a healthy history from which φ̂ is taken, and how many of them make a block for the dispersion over time. */
const historyPanes = 2_000
const blockPanes = 20

/**
 * φ̂ of a stream: dispersion of the counts of single panes (`pane`) or of sums of twenty panes (`block`), which also sees
 * that neighbouring panes are alike. Pearson's X² over its degrees of freedom, at least 1.
 */
export function dispersionOf(family: Family, noise: Noise, by: 'pane' | 'block', seed: number): number {
  const usual = family.shares(0)
  const next = panesOf({ family, noise, size: 0, course: () => 0 }, random(seed))
  const counts = new Float64Array(usual.length)
  const panes = by === 'pane' ? 1 : blockPanes
  let [statistic, terms] = [0, 0]
  for (let i = 0; i < historyPanes; i += panes) {
    const sum = new Float64Array(usual.length)
    for (let j = 0; j < panes; j++) {
      next(counts, -1)
      for (let cell = 0; cell < sum.length; cell++) sum[cell]! += counts[cell]!
    }
    for (let cell = 0; cell < sum.length; cell++) {
      const expected = panes * family.rows * usual[cell]!
      statistic += (sum[cell]! - expected) ** 2 / expected
    }
    terms += Math.max(1, usual.length - 1)
  }
  return Math.max(1, statistic / terms)
}

export const noises = {
  independent,
  'clumped, φ 2': { kind: 'clumped', phi: 2 },
  'clumped, φ 3': { kind: 'clumped', phi: 3 },
  'AR .5, φ 2': { kind: 'latent', phi: 2, rho: 0.5 },
  'AR .9, φ 2': { kind: 'latent', phi: 2, rho: 0.9 },
} as const satisfies Record<string, Noise>

/** Run lengths of the product's detectors at the threshold that promises `nominal`, on streams that are not independent. */
export function promises(family: Family, nominal: number, scale: Scale): readonly Promise[] {
  return family.detectors.flatMap((detector) =>
    Object.entries(noises).flatMap(([name, noise]) =>
      (noise.kind === 'latent' ? (['pane', 'block'] as const) : (['pane'] as const)).flatMap((by) => {
        const phi = dispersionOf(family, noise, by, scale.seed + 900_000)
        const kind = ours(family, detector, phi)
        if (kind === null) return []
        const panes = Math.round(nominal * scale.nullLengths)
        const [records] = healthyRecords(family, noise, [kind], { streams: scale.nullStreams, panes, seed: scale.seed })
        const length = runLength(records!, panes, kind.threshold(nominal)!)
        return [
          { family: family.id, detector, noise: by === 'block' ? `${name}, φ̂ by block` : name, phi, nominal, length },
        ]
      }),
    ),
  )
}
