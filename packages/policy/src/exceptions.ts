import type { Policy, PolicyException } from '@interlock/contracts'
import { compileGuardrails } from './compile-guardrails.ts'
import { diff } from './diff.ts'
import type { Known } from './known.ts'
import { readDay } from './measures.ts'
import { shown, suggest } from './problem.ts'
import type { Path } from './read-yaml.ts'
import type { Report } from './shape-problems.ts'
import type { GuardrailSource, PolicySource } from './source.ts'

/** An exception lasts at most so long: what is needed for longer is a rule, and is approved as one. */
export const longestExceptionDays = 90
const dayMs = 86_400_000

/**
 * The exceptions of a policy: each makes rules of one entry looser until its day, and nothing stricter or different.
 *
 * @param strict the policy without them
 * @param now when it is checked; absent: how far ahead an exception ends is not looked at
 */
export function compileExceptions(
  source: PolicySource,
  strict: Policy,
  known: Known | undefined,
  now: number | undefined,
  report: Report,
): readonly PolicyException[] {
  const seen = new Set<string>()
  return (source.exceptions ?? []).flatMap(({ guardrail: name, until, reason, loosen }, index) => {
    const path: Path = ['exceptions', index]
    const fault = (key: string, happened: string, why: string, instead: string): readonly [] => {
      report({
        path: [...path, key],
        code: 'exceptions',
        happened: `exception ${index + 1}: ${happened}`,
        why,
        instead,
      })
      return []
    }
    const rule = Object.hasOwn(source.guardrails, name) ? source.guardrails[name] : undefined
    if (rule === undefined) {
      const there = suggest(name, Object.keys(source.guardrails), 'Rules')
      return fault('guardrail', `there is no rule ${shown(name)}`, 'An exception is one from a rule.', there)
    }
    if (seen.has(name)) {
      return fault('guardrail', `rule ${shown(name)} has one already`, 'Only one of them could hold.', 'Join them.')
    }
    seen.add(name)
    const end = readDay(until)
    if (end === null) {
      return fault('until', `${shown(until)} is no day`, 'It must end.', 'Write a day such as "until: 2026-12-01".')
    }
    if (now !== undefined && end - now > longestExceptionDays * dayMs) {
      const latest = new Date(now + longestExceptionDays * dayMs).toISOString().slice(0, 10)
      return fault(
        'until',
        `it ends more than ${longestExceptionDays} days ahead`,
        'What lasts longer is a rule, and is approved as one.',
        `Write "until: ${latest}" or earlier.`,
      )
    }
    const findings: Parameters<Report>[0][] = []
    const changed = { ...rule, ...withoutAbsent(loosen) } as GuardrailSource
    const loose = { ...source, guardrails: { ...source.guardrails, [name]: changed } }
    const guardrails = compileGuardrails(loose, known, (finding) => findings.push(finding))
    const [finding] = findings
    if (finding !== undefined) return fault('loosen', finding.happened, finding.why, finding.instead)
    const changes = diff(strict, { ...strict, guardrails })
    const other = changes.find(({ direction }) => direction !== 'looser')
    if (other !== undefined) {
      return fault('loosen', other.sentence, 'An exception makes a rule looser and nothing else.', 'Change the rule.')
    }
    if (changes.length === 0) {
      return fault('loosen', 'nothing becomes looser', 'It would change nothing.', 'Remove the exception.')
    }
    return guardrails
      .filter(({ id }) => changes.some(({ path: place }) => place.startsWith(`guardrails.${id}.`)))
      .map((looser): PolicyException => ({ until: end, reason, looser }))
  })
}

function withoutAbsent<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T
}

/** Rules that are accepted although they may see nothing in a stage, by the guardrails that an entry makes. */
export function compileBlind({ blind = {}, guardrails }: PolicySource, policy: Policy, report: Report) {
  return Object.entries(blind).flatMap(([name, reason]) => {
    const ids = policy.guardrails.map(({ id }) => id).filter((id) => id.split('.')[0] === name)
    if (ids.length === 0) {
      report({
        path: ['blind', name],
        part: 'key',
        code: 'blind',
        happened: `blind: there is no rule ${shown(name)}`,
        why: 'What may be blind is accepted by name.',
        instead: suggest(name, Object.keys(guardrails), 'Rules'),
      })
    }
    return ids.map((guardrail) => ({ guardrail, reason }))
  })
}
