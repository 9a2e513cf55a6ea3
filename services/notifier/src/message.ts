import type { AlertOut } from '@interlock/contracts'

/** What a sink gets: sentences for people, ids for machines; no raw value, no token, no group name. */
export interface Message {
  readonly v: 1
  readonly id: string
  /** Equal for every repetition of the same alert: receivers drop what they have seen. */
  readonly dedupeKey: string
  readonly attention: AlertOut['attention']
  readonly deployment: string
  readonly sentence: string
  readonly done: string
  readonly asked: string
  readonly decision: string
  readonly resolves: string | null
  readonly at: string
}

export function messageOf(alert: AlertOut): Message {
  return {
    v: 1,
    id: alert.id,
    dedupeKey: alert.id,
    attention: alert.attention,
    deployment: alert.deployment,
    sentence: alert.sentence,
    done: alert.done,
    asked: alert.asked,
    decision: alert.decision,
    resolves: alert.resolves,
    at: new Date(alert.at).toISOString(),
  }
}
