import type { LogTime, VersionId } from '@interlock/contracts'
import { type ReadinessRecord, readinessLifeMs } from './engines.ts'
import type { Release } from './release.ts'

export interface TargetQuestion {
  /** In the order of preference: asked for by a person, stable, then earlier stable versions. */
  readonly choices: readonly Release[]
  /** The version that answers the rest of the traffic now, if it is one of the choices. */
  readonly serving: VersionId | null
  readonly rolledBack: readonly VersionId[]
  readonly readiness: Readonly<Record<string, ReadinessRecord>>
}

/**
 * Where a rollback goes: the first choice that is ready and was not itself rolled back. A version that is serving
 * now, and of which nothing bad is known, will do when its check is merely old or missing: the agent verifies it again
 * before it acts. A version known not to be ready never will.
 *
 * @returns null where no version will do: then halt, and a person.
 */
export function rollbackTarget(question: TargetQuestion, time: LogTime): Release | null {
  const { choices, serving, rolledBack, readiness } = question
  const lawful = choices.filter(({ version }) => !rolledBack.includes(version))
  const ready = lawful.find(({ digest }) => {
    const record = readiness[digest]
    return record?.ok === true && time - record.at <= readinessLifeMs
  })
  if (ready !== undefined && ready.version === lawful[0]?.version) return ready
  const current = lawful.find(({ version, digest }) => version === serving && readiness[digest]?.ok !== false)
  return current ?? ready ?? null
}
