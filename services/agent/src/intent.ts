import { open, readFile, rename } from 'node:fs/promises'
import type { Command, Desired, Order } from '@interlock/contracts'

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

/** Intents in one file, replaced by rename after fsync. */
export function fileIntent(path: string): Intent {
  const write = async (text: string): Promise<void> => {
    const draft = `${path}.new`
    const file = await open(draft, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  }
  return {
    begin: (command, desired) => write(JSON.stringify({ order: command.order, desired })),
    done: () => write('null'),
    async unfinished() {
      try {
        const intent = JSON.parse(await readFile(path, 'utf8')) as { order: Order } | null
        return intent === null ? null : intent.order
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
        throw error
      }
    },
  }
}
