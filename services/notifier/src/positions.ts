import { readIfThere, writeDurably } from '@interlock/runtime'

/** Where a notifier remembers how far it came, by partition. What was saved is found again after a crash. */
export interface PositionStore {
  load(): Promise<Map<number, bigint>>
  save(positions: ReadonlyMap<number, bigint>): Promise<void>
}

/** Positions in one file, replaced by rename after fsync. */
export function filePositions(path: string): PositionStore {
  return {
    async load() {
      const saved = JSON.parse((await readIfThere(path)) ?? '{}') as Record<string, string>
      return new Map(Object.entries(saved).map(([partition, offset]) => [Number(partition), BigInt(offset)]))
    },
    save: (positions) =>
      writeDurably(
        path,
        JSON.stringify(Object.fromEntries([...positions].map(([partition, offset]) => [partition, String(offset)]))),
      ),
  }
}
