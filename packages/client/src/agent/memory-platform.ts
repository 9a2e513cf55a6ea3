import type { Hash, Observed } from '@interlock/contracts'
import { following, type Platform } from './platform.ts'

/** A platform in memory with a true compare-and-set, for tests and simulation. */
export function memoryPlatform(
  start: Omit<Observed, 'version'>,
): Platform & { readonly changes: Observed[]; broken: Set<Hash> } {
  let revision = 0
  let state: Observed = { ...start, version: '0' }
  const changes: Observed[] = []
  const broken = new Set<Hash>()
  return {
    kind: 'memory',
    changes,
    broken,
    observe: async () => state,
    targets: async () => (state.candidate === null ? [state.stable] : [state.stable, state.candidate]),
    ready: async (target) => ({
      ok: !broken.has(target),
      checks: [{ name: 'digest', ok: !broken.has(target), detail: broken.has(target) ? 'bytes differ' : 'whole' }],
    }),
    async apply(desired, command, _signed, ifVersion) {
      if (ifVersion !== state.version) return 'conflict'
      revision++
      state = { ...following(desired, command.order), version: String(revision) }
      changes.push(state)
      return 'applied'
    },
  }
}
