import type { CountSpec } from '@interlock/contracts'

/** What a deployment has, for checking the names in a policy. */
export type Known = {
  readonly features: readonly string[]
  /** Segment dimensions by name. */
  readonly segments: readonly string[]
}

/** Names that a count spec (a baseline's) knows. */
export function knownFrom(spec: CountSpec): Known {
  return { features: spec.features.map(({ name }) => name), segments: spec.segments.map(({ name }) => name) }
}
