import { confluentRegistry, type Gate, RegistryUnavailable, SchemaGate, type SchemaSource } from '@interlock/runtime'
import type { Config } from '../config.ts'
import { fromEnvironment } from './platforms.ts'
import type { Part, Wiring } from './wiring.ts'

/** The schema registry of the configuration; null where there is none. */
export function registryOf(config: Pick<Config, 'registry'>): SchemaSource | null {
  if (config.registry === undefined) return null
  const { url, username, passwordEnv } = config.registry
  if (username === undefined || passwordEnv === undefined) return confluentRegistry({ url })
  const password = fromEnvironment(passwordEnv, `the schema registry’s user ${username}`)
  return confluentRegistry({ url, auth: { username, password } })
}

/** Holds Avro messages back until the log has their schemas, and brings those there; null without a registry. */
export function schemaGate(wiring: Wiring): { readonly gate: Gate; readonly part: Part } | null {
  const source = registryOf(wiring.config)
  if (source === null) return null
  const { log, clock, random, logger } = wiring
  const gate = new SchemaGate({ log, source, clock, random, logger: logger.child({ part: 'registry' }) })
  return { gate, part: (signal) => gate.run(signal) }
}

/** What `interlock doctor` says of it. */
export async function registryFinding(
  config: Pick<Config, 'registry'>,
): Promise<{ readonly state: 'ok' | 'note' | 'failed'; readonly detail: string }> {
  const source = registryOf(config)
  if (source === null) return { state: 'note', detail: 'none is configured: ids in Avro messages are Interlock’s own' }
  try {
    await source.fetch(1)
    return { state: 'ok', detail: `${source.name} answers` }
  } catch (error) {
    if (!(error instanceof RegistryUnavailable)) throw error
    return {
      state: 'failed',
      detail: `${error.message}. Messages under schemas that the log does not have yet will wait`,
    }
  }
}
