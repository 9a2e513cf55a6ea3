import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeploymentId, Order } from '@interlock/contracts'
import { compareOrders } from '@interlock/contracts'
import { readIfThere, writeDurably } from '@interlock/runtime'
import type { VerifiedCommand } from './reconciler.ts'

/**
 * The highest command of each deployment on disk, as it was signed, so that a restart refuses what was outranked before
 * it, also where a command came by the second path and the topic does not have it. What is read is verified again.
 */
export interface KeptCommands {
  read(deployment: DeploymentId): Promise<Uint8Array | null>
  write(kept: VerifiedCommand): Promise<void>
  /** Makes what is missing, so that a wrong path is found at the start. */
  prepare(): Promise<void>
}

/** One file a deployment in `folder`, which is made where it is missing. */
export function keptInFolder(folder: string): KeptCommands {
  const saved = new Map<DeploymentId, Order>()
  let turn: Promise<void> = Promise.resolve()
  const path = (deployment: DeploymentId): string => join(folder, `command-${deployment}.json`)
  const write = async ({ command: { deployment, order }, signed }: VerifiedCommand): Promise<void> => {
    // Commands may come on two paths at once, and the later write may be of the lower one.
    const before = saved.get(deployment)
    if (before !== undefined && compareOrders(order, before) <= 0) return
    await writeDurably(path(deployment), signed)
    saved.set(deployment, order)
  }
  return {
    async read(deployment) {
      const text = await readIfThere(path(deployment))
      return text === null ? null : Buffer.from(text, 'utf8')
    },
    write(kept) {
      turn = turn.then(
        () => write(kept),
        () => write(kept),
      )
      return turn
    },
    async prepare() {
      await mkdir(folder, { recursive: true, mode: 0o700 })
    },
  }
}
