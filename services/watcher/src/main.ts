import type { Heartbeat, KeyEntry, Signer } from '@interlock/contracts'
import { type Clock, processGauge, runHeartbeat, type WatcherAddress } from '@interlock/runtime'
import type { Logger } from 'pino'
import { type Door, type DoorOptions, openDoor } from './door.ts'
import { hear } from './heard.ts'
import { messageOf, type Receiver } from './pager.ts'
import { lookEveryMs, type WatchRules } from './rules.ts'
import { emptyWatch, type Page, type WatchState } from './state.ts'
import { readState, writeState } from './state-file.ts'
import { arrived, pagedUnits, troubledUnits, watch } from './watch.ts'

export interface WatcherOptions {
  readonly rules: WatchRules
  readonly listen: Pick<DoorOptions, 'host' | 'port' | 'tls'>
  /** Keys in force. */
  readonly keys: () => readonly KeyEntry[]
  /** Signs its own heartbeats, for the other watcher. */
  readonly signer: Signer
  readonly peers: readonly WatcherAddress[]
  /** In addition to the log, to which every message goes. */
  readonly receivers: readonly Receiver[]
  /** File that remembers over a restart what people were told of. */
  readonly stateFile: string
  readonly clock: Clock
  readonly logger: Logger
}

/** What `GET /v1/state` says: for people and for `interlock status`. */
export interface WatcherSummary {
  readonly v: 1
  readonly watcher: string
  readonly environment: string
  readonly state: 'ok' | 'troubled'
  /** What does not move, whether or not people were told yet. */
  readonly troubles: readonly string[]
  /** Seconds since each thing that must move did. */
  readonly stillSeconds: Readonly<Record<string, number>>
  /** How long ago a rollback of the probe was verified last, null before the first; and what it waits for when it is late. */
  readonly probe: { readonly verifiedSecondsAgo: number | null; readonly lateFor: string | null } | null
  /** Messages that no receiver has taken yet. */
  readonly unsent: number
}

/** The state is saved at each change of what people are told, and at the latest after so long. */
const saveEveryMs = 30_000
/** Waits between attempts at a receiver that does not take a message. */
const retryMs = [500, 1_000, 2_000, 5_000, 10_000]

/** Opens the door and returns; `run` watches until `signal` is aborted. */
export async function openWatcher(options: WatcherOptions): Promise<{
  readonly port: number
  run(signal: AbortSignal): Promise<void>
}> {
  const { rules, clock, logger } = options
  const loaded = await readState(options.stateFile)
  // Its time begins at the wall clock and never goes back, nor behind what it remembers.
  const base = Math.max(clock.now(), loaded?.now ?? 0) - clock.monotonic()
  const now = (): number => Math.round(base + clock.monotonic())
  let state: WatchState = loaded ?? emptyWatch(now())
  let heard: Heartbeat[] = []
  const door: Door = await openDoor({
    ...options.listen,
    keys: options.keys,
    take: (beat) => {
      // Judged against the last look; the next look hears all of them in order.
      const seen = hear(rules, state, beat, state.now)
      if ('ignored' in seen) return seen.ignored
      heard.push(beat)
      return null
    },
    state: (): WatcherSummary => summaryOf(rules, state, now()),
  })

  const run = async (signal: AbortSignal): Promise<void> => {
    const gauge = processGauge()
    const beating = runHeartbeat(
      {
        environment: rules.environment,
        component: rules.self,
        signer: options.signer,
        watchers: options.peers,
        log: null,
        clock,
        logger,
        paged: () => pagedUnits(state),
        gauge,
      },
      signal,
    )
    const underWay = new Set<string>()
    let saved = ''
    let savedAt = Number.NEGATIVE_INFINITY
    const save = async (isUrgent: boolean): Promise<void> => {
      const { incidents, outbox } = state
      const essence = JSON.stringify([
        incidents.map(({ id, told, arrived: has, units }) => [id, told, has, units]),
        outbox,
      ])
      if (!isUrgent && essence === saved && state.now - savedAt < saveEveryMs) return
      await writeState(options.stateFile, state)
      saved = essence
      savedAt = state.now
    }
    const deliver = (page: Page): void => {
      if (underWay.has(page.id)) return
      underWay.add(page.id)
      void tell(options, page, signal)
        .then((hasArrived) => {
          if (hasArrived) state = arrived(state, page.id)
        })
        .finally(() => underWay.delete(page.id))
    }
    try {
      while (!signal.aborted) {
        const beats = heard
        heard = []
        const before = state
        state = watch(rules, state, beats, now())
        for (const name of news(before, state)) logger.warn({ unit: name }, 'does not move')
        // First remembered, then told: a crash in between tells it once more under the same id, and forgets nothing.
        await save(false)
        for (const page of nextOfEach(state.outbox)) deliver(page)
        await clock.sleep(lookEveryMs, signal)
      }
    } finally {
      await Promise.all([beating, door.close()])
      gauge.stop()
      await save(true)
    }
  }
  return { port: door.port, run }
}

/** The oldest message of each incident: its end must not be told before its beginning. */
function nextOfEach(outbox: readonly Page[]): readonly Page[] {
  return outbox.filter((page, index) => outbox.findIndex(({ incident }) => incident === page.incident) === index)
}

function news(before: WatchState, after: WatchState): readonly string[] {
  const known = troubledUnits(before)
  return troubledUnits(after).filter((name) => !known.includes(name))
}

/** Tells every receiver; true once one of them has it. Without any, the log is all there is. */
async function tell(options: WatcherOptions, page: Page, signal: AbortSignal): Promise<boolean> {
  const { rules, receivers, clock, logger } = options
  const message = messageOf(page, rules, clock.now())
  logger[page.kind === 'resolved' ? 'info' : 'error']({ page: message }, message.sentence)
  if (receivers.length === 0) return true
  const results = await Promise.all(
    receivers.map(async (receiver): Promise<boolean> => {
      for (const wait of [0, ...retryMs]) {
        await clock.sleep(wait, signal)
        try {
          await receiver.tell(message)
          return true
        } catch (error) {
          logger.error({ receiver: receiver.name, error: (error as Error).message }, 'a page did not arrive')
        }
        if (signal.aborted) return false
      }
      return false
    }),
  )
  return results.includes(true)
}

function summaryOf(rules: WatchRules, state: WatchState, now: number): WatcherSummary {
  const troubles = troubledUnits(state)
  return {
    v: 1,
    watcher: rules.self,
    environment: rules.environment,
    state: troubles.length === 0 ? 'ok' : 'troubled',
    troubles,
    stillSeconds: Object.fromEntries(
      Object.entries(state.units).map(([name, unit]) => [name, Math.round((now - unit.movedAt) / 1000)]),
    ),
    probe: probeOf(state, now),
    unsent: state.outbox.length,
  }
}

function probeOf({ units }: WatchState, now: number): WatcherSummary['probe'] {
  const probe = units['probe probe']
  if (probe === undefined) return null
  const ago = probe.mark === null ? null : Math.round((now - probe.movedAt) / 1000)
  return { verifiedSecondsAgo: ago, lateFor: probe.overdue?.waitsFor ?? null }
}
