/** What `doctor` found. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'note' | 'failed'
  readonly detail: string
}

/** Runs a check and keeps what it found; false where it failed. */
export type Attempt = (
  check: string,
  work: () => Promise<Omit<Finding, 'check'>> | Omit<Finding, 'check'>,
) => Promise<boolean>
