import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type AgentId, type Signer, shardLog } from '@interlock/contracts'
import { agentUrl, httpsSender, runSecondPath, type SecondPathOptions } from '@interlock/governor'
import { isTransient, keepRunning, RangeGone } from '@interlock/runtime'
import type { Config } from '../config.ts'
import { UsageError } from '../errors.ts'
import { ownedShards } from './owned-shards.ts'
import type { Part, Wiring } from './wiring.ts'

/** Posts stuck commands of the owned shards straight to their agents; nothing where no agent's address is configured. */
export function secondPathParts(wiring: Wiring, signer: Signer): readonly Part[] {
  const agents = agentsOf(wiring.config)
  if (agents.size === 0) return []
  const { log, clock, logger } = wiring
  const own = logger.child({ part: 'second-path' })
  const tell: SecondPathOptions['tell'] = (level, message, details) => own[level](details, message)
  const follow = (shard: number, signal: AbortSignal): Promise<void> => {
    const options = { log, shardLog: { topic: shardLog('governor'), partition: shard }, clock, signer, agents, tell }
    const mayTryAgain = (error: unknown): boolean => isTransient(error) || error instanceof RangeGone
    return keepRunning(
      wiring,
      `second path of governor/${shard}`,
      signal,
      () => runSecondPath(options, signal),
      mayTryAgain,
    )
  }
  return [ownedShards(wiring.membership('governor'), follow)]
}

function agentsOf(config: Config): SecondPathOptions['agents'] {
  return new Map(
    Object.entries(config.agents).map(([agent, { url, caFile }]) => {
      const ca = caFile === undefined ? undefined : readCa(resolve(config.base, caFile), agent)
      try {
        return [agent as AgentId, { url: agentUrl(url), send: httpsSender(ca) }]
      } catch (error) {
        throw new UsageError(`agents.${agent}.url: ${(error as Error).message}.`)
      }
    }),
  )
}

function readCa(file: string, agent: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file}: cannot be read (${(error as Error).message}); agents.${agent}.caFile names it.`)
  }
}
