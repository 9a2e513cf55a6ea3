import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { BaselineProblem, buildBaseline } from '@interlock/columns'
import { contentHash, type VersionId } from '@interlock/contracts'
import { readBatches, type TableColumns } from '../baseline/read-batches.ts'
import { readDocument } from '../documents.ts'
import { exitCodes, Refused, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { count } from '../words.ts'

export interface BaselineBuildOptions extends TableColumns {
  readonly version: string
  /** Local time is UTC and so many minutes. */
  readonly utcOffset?: number
  /** A baseline whose bins are taken over, so that the two can be compared. */
  readonly like?: string
  readonly latencyLimits?: string
  readonly out: string
}

/** `interlock baseline build`: counts rows known to be healthy into a baseline document. */
export async function baselineBuild(options: BaselineBuildOptions, out: Output): Promise<number> {
  if (!/^[^@\s]+@[^@\s]+$/.test(options.version))
    throw new UsageError(`--version "${options.version}": a version reads <model>@<version>`)
  const batches = await readBatches(options)
  const like = options.like === undefined ? undefined : readDocument(options.like, 'baseline').document
  try {
    const baseline = buildBaseline({
      version: options.version as VersionId,
      from: basename(options.from),
      batches,
      ...(like === undefined ? {} : { like }),
      options: {
        ...(options.latencyLimits === undefined ? {} : { latencyLimitsMs: limitsOf(options.latencyLimits) }),
        ...(options.utcOffset === undefined ? {} : { utcOffsetMinutes: options.utcOffset }),
      },
    })
    writeFileSync(options.out, `${JSON.stringify(baseline)}\n`)
    const hash = contentHash(baseline)
    out.result(
      { file: options.out, hash, rows: baseline.rows, spec: baseline.specHash },
      `${options.out}: ${count(baseline.rows)} rows, ${baseline.spec.features.length} features, ${baseline.slices.length} slices\n  baseline ${hash}\n  bins     ${baseline.specHash}`,
    )
    return exitCodes.good
  } catch (error) {
    if (error instanceof BaselineProblem) throw new Refused(`${options.from}: ${error.message}`)
    throw error
  }
}

function limitsOf(text: string): { p50: number; p90: number; p99: number } {
  const [p50, p90, p99] = text.split(',').map(Number)
  if (p50 === undefined || p90 === undefined || p99 === undefined || !(0 < p50 && p50 < p90 && p90 < p99)) {
    throw new UsageError(`--latency-limits "${text}": write three rising milliseconds, such as 8,13,20`)
  }
  return { p50, p90, p99 }
}
