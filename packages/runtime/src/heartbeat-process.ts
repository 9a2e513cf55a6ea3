import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import type { ProcessHealth } from '@interlock/contracts'

const nanosecondsInMs = 1e6

export interface ProcessGauge {
  /** The process as it is now, with the longest delay of the event loop since the last reading. */
  read(): ProcessHealth
  /** Part of the heap's limit that is used, 0 … 1. */
  heapPart(): number
  stop(): void
}

/** Measures this process. */
export function processGauge(): ProcessGauge {
  const resolutionMs = 20
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  return {
    read() {
      // The histogram holds the whole interval of its timer; what is beyond the interval is the delay.
      const loopDelayMs = Math.max(0, Math.round(delay.max / nanosecondsInMs) - resolutionMs)
      delay.reset()
      return {
        rssBytes: process.memoryUsage.rss(),
        ...heap(),
        loopDelayMs,
      }
    },
    heapPart() {
      const { heapBytes, heapLimitBytes } = heap()
      return heapBytes / heapLimitBytes
    },
    stop: () => delay.disable(),
  }
}

/**
 * What V8 counts for new objects, part of its limit but no room for what stays: three semi-spaces of 64 MiB (measured on Node 24:
 * `heap_size_limit` is `--max-old-space-size` and 192 MiB). A smaller --max-semi-space-size makes this reading too careful.
 */
const youngBytes = 192 * 1_048_576

/** Objects that stay, and the room for them: V8 gives up when these are full, whatever the new ones have left. */
function heap(): { readonly heapBytes: number; readonly heapLimitBytes: number } {
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => !space_name.startsWith('new_'))
  return {
    heapBytes: spaces.reduce((sum, { space_used_size }) => sum + space_used_size, 0),
    heapLimitBytes: getHeapStatistics().heap_size_limit - youngBytes,
  }
}
