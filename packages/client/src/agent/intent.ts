import type { Command, Desired, Order } from '@interlock/contracts'
import { readIfThere, writeDurably } from '@interlock/runtime'

/**
 * What an agent was about to do on a platform without compare-and-set, on disk before it does it. After a crash the agent
 * finds it, observes the platform, and finishes by reconciling: the intent says only that an effect may be half done.
 */
export interface Intent {
  begin(command: Command, desired: Desired): Promise<void>
  done(): Promise<void>
  /** The order whose effect may be half done, or null. */
  unfinished(): Promise<Order | null>
}

/** Intents in one file, replaced by rename after fsync. This process is the only one that writes it. */
export function fileIntent(path: string): Intent {
  let known: Order | null | undefined
  const write = async (order: Order | null, text: string): Promise<void> => {
    known = undefined
    await writeDurably(path, text)
    known = order
  }
  return {
    begin: (command, desired) => write(command.order, JSON.stringify({ order: command.order, desired })),
    done: () => write(null, 'null'),
    async unfinished() {
      if (known === undefined) {
        const text = await readIfThere(path)
        known = text === null ? null : ((JSON.parse(text) as { order: Order } | null)?.order ?? null)
      }
      return known
    },
  }
}
