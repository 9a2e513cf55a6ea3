import { readFileSync } from 'node:fs'
import { check, explain, formatProblem } from '@interlock/policy'
import { exitCodes, Refused, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'

/** Reads a policy file, or says why it cannot. */
export function readPolicyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file}: cannot be read (${error instanceof Error ? error.message : String(error)}).`)
  }
}

/** `interlock policy check <file>`: problems with line, column and what to write; exit 1 when there is one. */
export function policyCheck(file: string, out: Output): number {
  const { policy, problems } = check(readPolicyFile(file), file)
  const text = problems.map(formatProblem)
  if (policy !== null)
    text.push(`${file}: ${policy.guardrails.length} guardrails, ${policy.stages.length} stages, no problem found`)
  out.result({ file, problems, ok: policy !== null }, text.join('\n'))
  return policy === null ? exitCodes.breachOrRefused : exitCodes.good
}

/** `interlock policy explain <file>`: the policy in plain sentences. */
export function policyExplain(file: string, out: Output): number {
  const { policy, problems } = check(readPolicyFile(file), file)
  if (policy === null) {
    throw new Refused(`${file} has ${problems.length} problems; \`interlock policy check ${file}\` lists them.`)
  }
  const text = explain(policy)
  out.result({ file, text }, text)
  return exitCodes.good
}
