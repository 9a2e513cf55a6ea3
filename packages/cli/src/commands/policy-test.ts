import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { formatProblem } from '@interlock/policy'
import { readSuite, runSuite, type Suite, type Tested } from '@interlock/scenario'
import type { Config } from '../config.ts'
import { readDocument } from '../documents.ts'
import { exitCodes, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { readPolicyFiles } from '../policy-file.ts'
import { realProcessors } from '../scenario/processors.ts'
import { defaultErrorRate, trafficOf } from '../scenario/setting.ts'
import { soundPolicy } from './policy.ts'

export interface PolicyTestOptions {
  /** Instead of the files that the tests name. */
  readonly policy?: string
  readonly baseline?: string
  readonly candidateBaseline?: string
}

/** `interlock policy test <tests.yaml>`: measurements and whole scenarios; exit 1 when one comes out otherwise, 2 for mistakes in the file. */
export async function policyTest(
  file: string,
  options: PolicyTestOptions,
  config: () => Config,
  out: Output,
): Promise<number> {
  const { suite, problems } = readSuite(sourceOf(file), file)
  if (suite === null) {
    out.result({ file, problems, ok: false }, problems.map(formatProblem).join('\n'))
    return exitCodes.usage
  }
  const beside = (name: string | null | undefined): string | null =>
    name === null || name === undefined ? null : resolve(dirname(file), name)
  const policyFile = options.policy ?? (beside(suite.policy) as string)
  const baselineFile = options.baseline ?? beside(suite.baseline)
  const candidateFile = options.candidateBaseline ?? beside(suite.candidateBaseline)
  const policy = soundPolicy(policyFile)
  const baseline = baselineFile === null ? null : readDocument(baselineFile, 'baseline').document
  const traffic =
    baseline === null || suite.scenarios.length === 0
      ? null
      : await trafficOf(trafficOptions(suite, beside(suite.traffic.from)), baseline, config)
  const tested: Tested[] = []
  const world = {
    ...{ policy, written: readPolicyFiles(policyFile), baseline, processors: realProcessors, traffic },
    candidateBaseline: candidateFile === null ? null : readDocument(candidateFile, 'baseline').document,
  }
  for (const one of runSuite(suite, world)) {
    tested.push(one)
    out.say(`${one.ok ? '✓' : '✗'} ${one.name}`)
  }
  const failed = tested.filter(({ ok }) => !ok)
  out.result(
    { file, policy: policyFile, seed: suite.seed, tests: tested, failed: failed.length, ok: failed.length === 0 },
    [
      ...failed.map((one) => describe(file, one)),
      `${tested.length - failed.length} of ${tested.length} tests pass (seed ${suite.seed})`,
    ].join('\n'),
  )
  return failed.length === 0 ? exitCodes.good : exitCodes.breachOrRefused
}

function sourceOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file}: cannot be read (${error instanceof Error ? error.message : String(error)}).`)
  }
}

function trafficOptions({ traffic: { rowsPerHour, errorRate } }: Suite, from: string | null) {
  return {
    ...(from === null ? {} : { traffic: from }),
    ...(rowsPerHour === null ? {} : { rate: rowsPerHour }),
    errorRate: errorRate ?? defaultErrorRate,
  }
}

function describe(file: string, { line, column, name, found, wanted }: Tested): string {
  return [`${file}:${line}:${column}  ${name}`, `  found: ${found}`, ...wanted.map((text) => `  wanted: ${text}`)].join(
    '\n',
  )
}
