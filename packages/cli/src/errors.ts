/** Exit codes of every command: docs/cli.md. */
export const exitCodes = { good: 0, breachOrRefused: 1, usage: 2, unavailableOrUnknown: 3, interrupted: 130 } as const

/** The caller's mistake: a bad flag, file or name. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Interlock, or a part that it needs, is not there, or the outcome is not known. Exit code 3. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

/** It was asked and the answer is no (a refusal, a breach, a failed check). Exit code 1. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** What a person can act on without seeing where in the code it was. */
export function isForPeople(error: unknown): error is Error {
  return error instanceof Error && (isLogAway(error) || namesForPeople.includes(error.name))
}
const namesForPeople: readonly string[] = ['UsageError', 'Unavailable', 'Refused', 'ApiError']

/** The runtime's `LogUnavailable`, by its name: most commands start without the runtime. */
const isLogAway = (error: unknown): boolean => error instanceof Error && error.name === 'LogUnavailable'

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage
  if (error instanceof Unavailable || isLogAway(error)) return exitCodes.unavailableOrUnknown
  return exitCodes.breachOrRefused
}
