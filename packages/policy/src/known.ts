import type { CountSpec } from '@interlock/contracts'

/** What a deployment has, for checking the names in a policy. */
export type Known = {
  readonly features: Readonly<Record<string, 'numeric' | 'categorical'>>
  /** Segment dimensions by name. */
  readonly segments: readonly string[]
}

/** Names that a count spec (a baseline's) knows. */
export function knownFrom(spec: CountSpec): Known {
  return {
    features: Object.fromEntries(spec.features.map(({ name, kind }) => [name, kind])),
    segments: spec.segments.map(({ name }) => name),
  }
}
