import type { Input, Processor, ProgressOut } from '@interlock/contracts'

/** Counts keys: for tests of the protocol, where the right answer is a recount of the input. */
export interface Toy {
  readonly totals: ReadonlyMap<string, number>
  readonly taken: number
  /** Newest step time at which something was taken while caught up: makes outs depend on time, as real ones do. */
  readonly watermark: number
}

/**
 * A record counts one for the text of its value; an out of another toy counts what it says. Puts out the counts of the
 * batch, as deltas in `dead`, so that a reader of all valid outs must get the totals.
 */
export function toyProcessor(name: string, bytesPerRow = 0): Processor<Toy> {
  return {
    name,
    version: 1,
    empty: () => ({ totals: new Map(), taken: 0, watermark: 0 }),
    step: (state, batch, time, caughtUp) => {
      const deltas = new Map<string, number>()
      for (const input of batch) for (const [key, n] of countsOf(input)) deltas.set(key, (deltas.get(key) ?? 0) + n)
      const watermark = caughtUp ? Math.max(state.watermark, time) : state.watermark
      if (deltas.size === 0) return [watermark === state.watermark ? state : { ...state, watermark }, []]
      const totals = new Map(state.totals)
      let taken = 0
      for (const [key, n] of deltas) {
        totals.set(key, (totals.get(key) ?? 0) + n)
        taken += n
      }
      const dead = Object.fromEntries([...deltas].sort(([a], [b]) => (a < b ? -1 : 1)))
      const out: ProgressOut = { kind: 'progress', shard: 0, watermark, caughtUp, taken, counted: 0, dead }
      const padding: ProgressOut = { ...out, dead: { ['x'.repeat(bytesPerRow)]: 0 } }
      const outs = bytesPerRow > 0 ? [out, ...batch.map(() => padding)] : [out]
      return [{ totals, taken: state.taken + taken, watermark }, outs]
    },
    save: ({ totals, taken, watermark }) => {
      const sorted = [...totals].sort(([a], [b]) => (a < b ? -1 : 1))
      return Buffer.from(JSON.stringify([sorted, taken, watermark]), 'utf8')
    },
    load: (bytes, version) => {
      if (version !== 1) throw new Error(`toy state of version ${version} is not known here`)
      const [totals, taken, watermark] = JSON.parse(Buffer.from(bytes).toString('utf8'))
      return { totals: new Map(totals), taken, watermark }
    },
  }
}

function countsOf(input: Input): readonly (readonly [string, number])[] {
  if (input.kind === 'record') return [[Buffer.from(input.record.value ?? []).toString('utf8'), 1]]
  return input.out.kind === 'progress' ? Object.entries(input.out.dead) : []
}
