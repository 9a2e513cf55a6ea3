import type { World } from './world.ts'

/** One behaviour that an agent must have, as a sentence about it; `run` throws `NotConform` where it has not. */
export interface Case {
  readonly group: 'orders' | 'forgeries' | 'platform' | 'grants' | 'facts' | 'endpoint' | 'keys' | 'crashes'
  readonly sentence: string
  /** What the kit must be able to do for it: start and kill the agent, or speak to its endpoint. */
  readonly needs?: 'process' | 'endpoint'
  readonly run: (world: World) => Promise<void>
}
