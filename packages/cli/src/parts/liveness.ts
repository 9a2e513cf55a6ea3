import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ProbeProgress, Signer } from '@interlock/contracts'
import {
  Progress,
  processGauge,
  runHeartbeat,
  runWatchdog,
  unsafeAddress,
  type WatcherAddress,
  watchdogLimits,
} from '@interlock/runtime'
import type { Config } from '../config.ts'
import { UsageError } from '../errors.ts'
import type { Part, Wiring } from './wiring.ts'

/** Who this process is to the watchers. */
export interface Component {
  readonly holder: string
  readonly signer: Signer
}

/**
 * The same wiring with its progress observed, and the parts that look at it: the watchdog, which ends a process that does not
 * move, and heartbeats to the watchers where there are any.
 *
 * @param probe asked at each beat, since the probe is made from the wiring that this returns
 */
export function liveness(
  wiring: Wiring,
  component: Component | null,
  probe: () => (() => ProbeProgress) | undefined = () => undefined,
): { readonly wiring: Wiring; readonly parts: readonly Part[] } {
  const { config, clock, logger, log } = wiring
  const gauge = processGauge()
  const progress = new Progress(clock)
  const mayTake = (): boolean => gauge.heapPart() < watchdogLimits.pauseAtHeap
  const watchdog: Part = (signal) => runWatchdog({ progress, clock, heapPart: gauge.heapPart }, signal)
  const watchers = watcherAddresses(config)
  const heartbeat: Part = (signal) => {
    const { holder, signer } = component!
    const asked = probe()
    return runHeartbeat(
      {
        environment: config.environment,
        component: holder,
        signer,
        watchers,
        log,
        clock,
        logger: logger.child({ part: 'heartbeat' }),
        progress,
        gauge,
        ...(asked === undefined ? {} : { probe: asked }),
      },
      signal,
    )
  }
  const parts = component === null || watchers.length === 0 ? [watchdog] : [watchdog, heartbeat]
  return { wiring: { ...wiring, progress, mayTake }, parts }
}

/** Where the watchers of the configuration listen. @throws UsageError for an address that must not be called */
export function watcherAddresses(config: Config, apart?: string): readonly WatcherAddress[] {
  return config.watchers
    .filter(({ name }) => name !== apart)
    .map(({ name, url, caFile }) => {
      const unsafe = unsafeAddress(new URL(url))
      if (unsafe !== null) throw new UsageError(`watchers: ${name} listens at ${url}: ${unsafe}.`)
      return { url, ...(caFile === undefined ? {} : { ca: pem(config, caFile) }) }
    })
}

/** A PEM file that the configuration names. @throws UsageError when it cannot be read */
export function pem(config: Config, path: string): string {
  const file = resolve(config.base, path)
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file}: cannot be read (${(error as Error).message}); interlock.yaml names it.`)
  }
}
