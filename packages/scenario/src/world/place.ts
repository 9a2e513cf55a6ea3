import type { DeploymentId } from '@interlock/contracts'

/** Where a scenario plays: names that no real deployment of the same log could be mistaken for. */
export const environment = 'scenario'
export const deployment = 'scenario' as DeploymentId
export const tenant = 'local'

/** When virtual time begins: the same in every run, and on no border of a pane. */
export const startMs = Date.UTC(2026, 0, 5, 12) + 250
