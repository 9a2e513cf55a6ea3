import type { AlertOut, Fact } from '@interlock/contracts'
import { messageOf } from './message.ts'
import type { Sink } from './sink.ts'

/** Waits between attempts at one sink, ms; the last one repeats until `attempts` are used up. */
const waitsMs = [500, 2_000, 8_000, 30_000]
/** After so many attempts a delivery is reported as failed and the next alert has its turn. */
const attempts = 6

export interface Delivery {
  readonly sinks: readonly Sink[]
  readonly report: (fact: Fact) => Promise<void>
  readonly sleep: (ms: number) => Promise<void>
}

/**
 * Delivers one alert to every sink, at least once, and reports how each delivery ended. One sink that fails does not
 * keep the others waiting.
 */
export async function deliver(alert: AlertOut, { sinks, report, sleep }: Delivery): Promise<void> {
  const message = messageOf(alert)
  await Promise.all(
    sinks.map(async (sink) => {
      let detail = ''
      for (let attempt = 0; attempt < attempts; attempt++) {
        if (attempt > 0) await sleep(waitsMs[Math.min(attempt, waitsMs.length) - 1] as number)
        try {
          await sink.deliver(message)
          await report({
            kind: 'delivered',
            alert: alert.id,
            sink: sink.name,
            ok: true,
            detail: `attempt ${attempt + 1}`,
          })
          return
        } catch (error) {
          detail = error instanceof Error ? error.message : String(error)
        }
      }
      await report({ kind: 'delivered', alert: alert.id, sink: sink.name, ok: false, detail })
    }),
  )
}
