import type { Policy } from '@interlock/contracts'
import { compile } from './compile.ts'
import type { Known } from './known.ts'
import type { Problem } from './problem.ts'
import { readYaml } from './read-yaml.ts'
import { type Finding, shapeFindings } from './shape-problems.ts'
import { policySource } from './source.ts'

export type Checked = {
  /** The policy in force by content, or null where there is any problem. */
  readonly policy: Policy | null
  /** In the order of the source. Empty exactly if there is a policy. */
  readonly problems: readonly Problem[]
}

/**
 * Checks a policy's source and compiles it. Never throws, whatever the source is, and reads at most 256 KiB.
 *
 * @param source YAML as its author wrote it
 * @param file its name, for the problems
 * @param known features and segments of the deployment; without it names are not checked
 */
export function check(source: string, file: string, known?: Known): Checked {
  const { tree, problems } = readYaml(source, file)
  if (tree === null) return { policy: null, problems }
  const placed = (findings: readonly Finding[]): readonly Problem[] =>
    findings
      .map(({ path, part, code, happened, why, instead }) => ({
        file,
        ...tree.at(path, part),
        code,
        happened,
        why,
        instead,
      }))
      .sort((a, b) => a.line - b.line || a.column - b.column)
  const parsed = policySource.safeParse(tree.value, { reportInput: false })
  if (!parsed.success) return { policy: null, problems: placed(shapeFindings(parsed.error.issues, tree.value)) }
  const { policy, findings } = compile(parsed.data, known)
  return findings.length > 0 ? { policy: null, problems: placed(findings) } : { policy, problems: [] }
}
