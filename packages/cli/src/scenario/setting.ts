import type { BaselineDocument, Policy } from '@interlock/contracts'
import { type MakeProcessors, recordedTraffic, syntheticTraffic, type Traffic } from '@interlock/scenario'
import { soundPolicy } from '../commands/policy.ts'
import type { Config } from '../config.ts'
import { readDocument } from '../documents.ts'
import { UsageError } from '../errors.ts'
import { type PolicyFiles, readPolicyFiles } from '../policy-file.ts'
import { realProcessors } from './processors.ts'
import { recordedRows } from './recorded-rows.ts'

/** What comes in, as a person says it. */
export interface TrafficOptions {
  /** A file of recorded events, or `log`; absent: rows are drawn from the baseline. */
  readonly traffic?: string
  readonly rate?: number
  readonly errorRate?: number
}

export interface SettingOptions extends TrafficOptions {
  readonly baseline: string
  readonly candidateBaseline?: string
}

/** Everything that scenarios of a policy have in common. */
export interface Setting {
  readonly policy: Policy
  /** The policy as it was written, with the layers that it extends. */
  readonly written: PolicyFiles
  readonly baseline: BaselineDocument
  readonly candidateBaseline?: BaselineDocument
  readonly processors: MakeProcessors
  traffic(seed: number): Traffic
}

/** Part of the healthy answers that fails, where nobody says and nothing is recorded. */
export const defaultErrorRate = 0.01

/** Reads policy, baselines and traffic. @throws UsageError, Refused */
export async function settingOf(file: string, options: SettingOptions, config: () => Config): Promise<Setting> {
  const policy = soundPolicy(file)
  const baseline = readDocument(options.baseline, 'baseline').document
  const { candidateBaseline } = options
  return {
    ...{ policy, written: readPolicyFiles(file), baseline, processors: realProcessors },
    ...(candidateBaseline === undefined
      ? {}
      : { candidateBaseline: readDocument(candidateBaseline, 'baseline').document }),
    traffic: await trafficOf(options, baseline, config),
  }
}

/** Traffic by seed. @throws UsageError when nothing is recorded there, or neither a recording nor a rate is named */
export async function trafficOf(
  { traffic, rate, errorRate = defaultErrorRate }: TrafficOptions,
  baseline: BaselineDocument,
  config: () => Config,
): Promise<(seed: number) => Traffic> {
  if (traffic === undefined) {
    if (rate === undefined)
      throw new UsageError(
        'there is no traffic: name a recording with --traffic, or a rate of answers an hour with --rate.',
      )
    return (seed) => syntheticTraffic(baseline, { rowsPerHour: rate, errorRate, seed })
  }
  const rows = await recordedRows(traffic, baseline.spec, config)
  try {
    const recorded = recordedTraffic(rows, rate === undefined ? {} : { rowsPerHour: rate })
    return () => recorded
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`${traffic}: ${error.message}.`)
    throw error
  }
}
