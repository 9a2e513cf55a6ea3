import { open, readFile, rename } from 'node:fs/promises'

/** Where a notifier remembers how far it came, by partition. What was saved is found again after a crash. */
export interface PositionStore {
  load(): Promise<Map<number, bigint>>
  save(positions: ReadonlyMap<number, bigint>): Promise<void>
}

/** Positions in one file, replaced by rename after fsync. */
export function filePositions(path: string): PositionStore {
  return {
    async load() {
      try {
        const saved = JSON.parse(await readFile(path, 'utf8')) as Record<string, string>
        return new Map(Object.entries(saved).map(([partition, offset]) => [Number(partition), BigInt(offset)]))
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map()
        throw error
      }
    },
    async save(positions) {
      const draft = `${path}.new`
      const file = await open(draft, 'w', 0o600)
      try {
        const saved = Object.fromEntries([...positions].map(([partition, offset]) => [partition, String(offset)]))
        await file.writeFile(JSON.stringify(saved))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, path)
    },
  }
}
