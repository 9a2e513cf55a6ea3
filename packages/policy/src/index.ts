export type { Checked, CheckedBeside } from './check.ts'
export { check, extendsOf } from './check.ts'
export type { Direction, PolicyChange } from './diff.ts'
export { diff } from './diff.ts'
export { longestExceptionDays } from './exceptions.ts'
export { explain, standingExceptions } from './explain.ts'
export type { WatchContext } from './fact-of-evidence.ts'
export { factOfEvidence } from './fact-of-evidence.ts'
export type { Known } from './known.ts'
export { knownFrom } from './known.ts'
export type { PolicyLayerSource } from './layers.ts'
export { readDuration, readRatio } from './measures.ts'
export type { Problem, ProblemCode } from './problem.ts'
export { formatProblem, shown, suggest } from './problem.ts'
export type { Path, Tree } from './read-yaml.ts'
export { readYaml } from './read-yaml.ts'
export { readingGrade } from './reading-grade.ts'
export { nameOfFeature, nameOfRow, nameOfRule } from './rule-name.ts'
export type {
  ActionFact,
  CommandFact,
  Fact,
  HelpFact,
  JudgedFact,
  MeasuredFact,
  RolloutFact,
  WatchFact,
} from './say/fact.ts'
export type { Part, Said } from './say/said.ts'
export { say } from './say.ts'
export type { PolicySource } from './source.ts'
export { policyJsonSchema } from './source.ts'
