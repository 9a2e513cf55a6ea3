import type { Policy } from '@interlock/contracts'
import { type Promised, promise } from '@interlock/deployment'
import { diff, explain, formatProblem, type Problem } from '@interlock/policy'
import { readDocument } from '../documents.ts'
import { exitCodes, Refused } from '../errors.ts'
import type { Output } from '../output.ts'
import { checkPolicyFiles, readPolicyFiles } from '../policy-file.ts'
import { count } from '../words.ts'

/** How `policy check` prints what it found: for people, for code scanning, for the lines of a pull request. */
export const checkFormats = ['text', 'sarif', 'github'] as const
export type CheckFormat = (typeof checkFormats)[number]

/** `interlock policy check <file>`: problems with line, column and what to write; exit 1 when there is one. */
export function policyCheck(file: string, format: CheckFormat, out: Output): number {
  const { policy, problems } = checkPolicyFiles(file, readPolicyFiles(file))
  const text = {
    text: () => [...problems.map(formatProblem), ...(policy === null ? [] : [soundness(file, policy)])].join('\n'),
    sarif: () => JSON.stringify(sarif(problems), null, 2),
    github: () => problems.map(annotation).join('\n'),
  }[format]()
  out.result({ file, problems, ok: policy !== null }, text)
  return policy === null ? exitCodes.breachOrRefused : exitCodes.good
}

function soundness(file: string, { guardrails, stages }: Policy): string {
  return `${file}: ${guardrails.length} guardrails, ${stages.length} stages, no problem found`
}

/** SARIF 2.1.0 (OASIS): one run, one rule a code. */
function sarif(problems: readonly Problem[]) {
  const codes = [...new Set(problems.map(({ code }) => code))].sort()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'interlock', rules: codes.map((id) => ({ id })) } },
        results: problems.map(({ file, line, column, code, happened, why, instead }) => ({
          ruleId: code,
          level: 'error',
          message: { text: [happened, why, instead].filter((part) => part !== '').join(' ') },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: file },
                region: { startLine: line, startColumn: column },
              },
            },
          ],
        })),
      },
    ],
  }
}

/** A workflow command that puts the problem beside its line in a pull request. */
function annotation({ file, line, column, happened, why, instead }: Problem): string {
  const escaped = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  const property = (text: string): string => escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
  return `::error file=${property(file)},line=${line},col=${column},title=${property(happened)}::${escaped([why, instead].filter((part) => part !== '').join(' '))}`
}

/** `interlock policy explain <file>`: the policy in plain sentences. */
export function policyExplain(file: string, out: Output): number {
  const text = explain(soundPolicy(file))
  out.result({ file, text }, text)
  return exitCodes.good
}

/** `interlock policy diff <before> <after>`: what becomes looser or stricter; exit 1 when something becomes looser. */
export function policyDiff(before: string, after: string, out: Output): number {
  const changes = diff(soundPolicy(before), soundPolicy(after))
  const of = (direction: string): readonly string[] =>
    changes.filter((change) => change.direction === direction).map(({ sentence }) => `- ${sentence}`)
  const part = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : [title, ...lines]
  const text = [
    ...part('Looser', of('looser')),
    ...part('Stricter', of('stricter')),
    ...part('Other', of('other')),
  ].join('\n')
  out.result({ before, after, changes }, changes.length === 0 ? 'The two guard alike.' : text)
  return changes.some(({ direction }) => direction === 'looser') ? exitCodes.breachOrRefused : exitCodes.good
}

export interface PromiseOptions {
  readonly baseline: string
  /** Answers of all versions in an hour. */
  readonly rate: number
  readonly errorRate: number
}

/** `interlock policy promise <file>`: the smallest harm that each rule sees in each stage; exit 1 when one sees nothing. */
export function policyPromise(file: string, { baseline, rate, errorRate }: PromiseOptions, out: Output): number {
  const policy = soundPolicy(file)
  const { document } = readDocument(baseline, 'baseline')
  const promised = promise(policy, document, { rowsPerHour: rate, errorRate })
  const lines = policy.stages.flatMap((stage) => [
    '',
    `Stage ${stage.name}, at most ${seconds(stage.maximumMs)}`,
    ...promised.filter((one) => one.stage === stage.name).map((one) => promiseLine(one)),
  ])
  const head = `What ${file} sees at ${count(rate)} answers an hour, when the counts are those that are expected`
  out.result({ file, traffic: { rowsPerHour: rate, errorRate }, promised }, [head, ...lines].join('\n'))
  return promised.every(({ sees, isAlone }) => sees || isAlone) ? exitCodes.good : exitCodes.breachOrRefused
}

function promiseLine(promised: Promised): string {
  const { guardrail, sees, isAlone, of, healthyRate, smallest, afterMs, answers, grosser } = promised
  if (isAlone) return `  ${guardrail}: rests, since nobody is beside the new version`
  const size = (harm: number): string => {
    if (of === 'amount') return `a fall to ${(100 * harm).toPrecision(2)} % of the usual amount`
    if (of === 'move') return `a rise by ${(100 * harm).toPrecision(2)} % of the range`
    if (healthyRate === null) return `a distance of ${harm.toPrecision(2)}`
    return `${harm.toFixed(harm < 10 ? 2 : 0)} times the rate (${(100 * harm * healthyRate).toPrecision(2)} %)`
  }
  const cost = (ms: number | null, rows: number | null): string =>
    ms === null ? 'not in this stage' : `after ${seconds(ms)}, ${count(rows ?? 0)} answers`
  if (!sees) return `  ✗ ${guardrail}: sees nothing here: too few answers for its tolerance`
  if (smallest === null) return `  ${guardrail}: silence, ${cost(afterMs, answers)}`
  const more = grosser
    .filter(({ harm }) => harm > smallest)
    .map((one) => `${size(one.harm)} ${cost(one.afterMs, one.answers)}`)
  return `  ${guardrail}: from ${size(smallest)} on (${cost(afterMs, answers)})${more.length > 0 ? `; ${more.join('; ')}` : ''}`
}

function seconds(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 6_000) / 10} min`
}

/** The policy of a file. @throws UsageError, Refused when there is none or it has problems */
export function soundPolicy(file: string): Policy {
  const { policy, problems } = checkPolicyFiles(file, readPolicyFiles(file))
  if (policy !== null) return policy
  throw new Refused(`${file} has ${problems.length} problems; \`interlock policy check ${file}\` lists them.`)
}
