/**
 * Holds are a set: share moves only when it is empty. A machine's hold ends by evidence, a person's by a person.
 */
export interface Hold {
  /** `person:<id>`, `guardrail:<id>`, `data:<id>`, `not-watched`, `brake`, `fleet`, `keyset`, `expired`, `agent`, `provisional`. */
  readonly owner: string
  readonly reason: string
}

/** Adds a hold, sorted by owner; an owner's hold stays as it was first given. */
export function withHold(holds: readonly Hold[], hold: Hold): readonly Hold[] {
  if (holds.some(({ owner }) => owner === hold.owner)) return holds
  return [...holds, hold].sort((a, b) => (a.owner < b.owner ? -1 : 1))
}

export function withoutHold(holds: readonly Hold[], owner: string): readonly Hold[] {
  return holds.some((hold) => hold.owner === owner) ? holds.filter((hold) => hold.owner !== owner) : holds
}

export function isHeldBy(holds: readonly Hold[], owner: string): boolean {
  return holds.some((hold) => hold.owner === owner)
}

/** Machine holds that a person may lift as well: nobody else would ever end them. */
const liftable = new Set(['brake', 'expired', 'agent'])

/** Owners of the holds that one person's release ends: people's, and those that wait for a person. */
export function releasableByPerson(holds: readonly Hold[]): readonly string[] {
  return holds.map(({ owner }) => owner).filter((owner) => owner.startsWith('person:') || liftable.has(owner))
}
