import { call } from '@interlock/runtime'
import type { WatcherSummary } from '@interlock/watcher'
import type { Config } from '../config.ts'
import { watcherAddresses } from '../parts/liveness.ts'

/** The dead-man's switch in one line, as its watchers say; null where the configuration names none. */
export interface DeadMan {
  readonly state: 'ok' | 'note' | 'failed'
  readonly detail: string
  readonly watchers: Readonly<Record<string, WatcherSummary | null>>
}

const askWithinMs = 2_000

export async function deadMan(config: Config): Promise<DeadMan | null> {
  if (config.watchers.length === 0) return null
  const addresses = watcherAddresses(config)
  const answers = await Promise.all(
    config.watchers.map(async ({ name }, index): Promise<readonly [string, WatcherSummary | null]> => {
      const { url, ca } = addresses[index]!
      const address = new URL('/v1/state', url)
      return call({ url: address, timeoutMs: askWithinMs, ...(ca === undefined ? {} : { ca }) }).then(
        ({ status, text }) => [name, status === 200 ? (JSON.parse(text) as WatcherSummary) : null] as const,
        () => [name, null] as const,
      )
    }),
  )
  const troubles = new Set(answers.flatMap(([, answer]) => answer?.troubles ?? []))
  const silent = answers.filter(([, answer]) => answer === null).map(([name]) => name)
  const parts = [
    ...(silent.length > 0 ? [`${silent.join(' and ')} does not answer`] : []),
    ...(troubles.size > 0 ? [`does not move: ${[...troubles].join(', ')}`] : []),
    ...(silent.length + troubles.size === 0 ? [`${answers.map(([name]) => name).join(' and ')} watch, all moves`] : []),
    ...probeWords(answers.map(([, answer]) => answer?.probe ?? null)),
    ...(answers.length === 1 ? ['nobody watches the watcher: name a second one'] : []),
  ]
  const isWell = silent.length + troubles.size === 0
  return {
    state: isWell ? (answers.length === 1 ? 'note' : 'ok') : 'failed',
    detail: parts.join('; '),
    watchers: Object.fromEntries(answers),
  }
}

function probeWords(seen: readonly WatcherSummary['probe'][]): readonly string[] {
  const [probe] = seen.filter((one) => one !== null)
  if (probe === undefined) return []
  const { verifiedSecondsAgo: ago, lateFor } = probe
  const last = ago === null ? 'the probe was not verified yet' : `the probe was rolled back and verified ${ago} s ago`
  return [lateFor === null ? last : `${last} and is late: it waits for ${lateFor}`]
}
