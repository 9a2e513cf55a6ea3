/**
 * Faults of our own making, for the checker's own test (docs/reliability.md, "seeded bugs"): a test that stays green
 * with one of these on proves nothing. Never set outside tests.
 */
export interface Bugs {
  /** Every entry counts as valid and every answered append as won, whatever `prev` says. */
  readonly ignorePrev?: boolean
}
