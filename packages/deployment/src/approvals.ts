import type { Hash, KeysetDocument, LogTime, PersonId } from '@interlock/contracts'

/** One person's signed yes to the exact bytes behind a hash. */
export interface Approval {
  readonly object: Hash
  readonly by: PersonId
  readonly at: LogTime
  readonly comment: string
}

/** An approval must be used within a day; what is in force already stays in force (docs/reliability.md §5.2). */
export const approvalLifeMs = 24 * 3_600_000

/** Roles of a person under the keyset in force: the union over all keys that the person holds. */
export function rolesOf(keyset: KeysetDocument | null, person: PersonId): ReadonlySet<string> {
  const roles = new Set<string>()
  for (const key of keyset?.keys ?? []) {
    if (key.holder === person && key.roles.includes('person')) for (const role of key.may) roles.add(role)
  }
  return roles
}

export interface ApprovalCheck {
  readonly ok: boolean
  readonly have: number
  readonly needed: number
}

/**
 * Four eyes over one hash. Counts people, not accounts; the author and whoever put the document in never count; an
 * approval falls with the approver's role and after a day.
 */
export function approved(
  approvals: readonly Approval[],
  object: Hash,
  authors: readonly PersonId[],
  role: string,
  needed: number,
  keyset: KeysetDocument | null,
  time: LogTime,
): ApprovalCheck {
  const people = new Set<PersonId>()
  for (const approval of approvals) {
    if (approval.object !== object || time - approval.at > approvalLifeMs) continue
    if (!authors.includes(approval.by) && rolesOf(keyset, approval.by).has(role)) people.add(approval.by)
  }
  return { ok: people.size >= needed, have: people.size, needed }
}

/** Adds an approval; a person's newer one of the same object replaces the older. Keeps the newest `approvalsKept`. */
export function withApproval(approvals: readonly Approval[], approval: Approval): readonly Approval[] {
  const others = approvals.filter(({ object, by }) => object !== approval.object || by !== approval.by)
  return [...others, approval].slice(-approvalsKept)
}
export const approvalsKept = 64
