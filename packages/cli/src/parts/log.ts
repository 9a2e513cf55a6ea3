import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type EventLog, openSqliteLog } from '@interlock/runtime'
import type { Config } from '../config.ts'
import { UsageError } from '../errors.ts'
import { openKafka, shardsOf } from './kafka.ts'
import { embeddedShards } from './topics.ts'
import type { Shards } from './wiring.ts'

export interface OpenLog {
  readonly log: EventLog
  readonly shards: Shards
}

/**
 * The log that is there, for commands that read it: the cluster's where the configuration names one, else that of the data
 * folder.
 *
 * @param command names the process to the brokers
 * @throws UsageError, Unavailable when there is none
 */
export async function openLog(config: Config, command: string): Promise<OpenLog> {
  if (config.kafka === undefined) {
    const folder = join(config.data, 'log')
    if (!existsSync(folder)) {
      throw new UsageError(
        `${folder}: there is no log. Run \`interlock up\` or \`interlock demo\` first, or name another folder with --data.`,
      )
    }
    return { log: openSqliteLog({ folder }), shards: embeddedShards }
  }
  const log = openKafka(config, command)
  try {
    return { log, shards: await shardsOf(config, log) }
  } catch (error) {
    await log.close()
    throw error
  }
}
