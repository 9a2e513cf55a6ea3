import type { AnyOut, Input, LogRecord, LogTime, Processor, SchemaRegistry, WatchOut } from '@interlock/contracts'
import { type Account, addAccounts, assertBalanced, emptyAccount } from './account.ts'
import { Batch } from './batch.ts'
import { type Compiled, compiler } from './compiled.ts'
import { Letters } from './letters.ts'
import { loadState, type ProfilerState, saveState, stateVersion } from './state.ts'
import { withWatch } from './watched.ts'
import { watermarkAfter } from './watermark.ts'

/**
 * The profiler: events in, integer counts out, and the events are forgotten (docs/architecture.md §1, §2).
 *
 * One step takes records and watches in their order. Rows are decoded into columns and counted by (deployment,
 * generation, version, variant, pane), each time by producer and by each segment. A row that cannot be counted is a dead
 * letter with position and reason. Every row taken is accounted for, and the account must balance.
 */
export function createProfiler({ registry }: { readonly registry: SchemaRegistry }): Processor<ProfilerState> {
  const compile = compiler(registry)
  return {
    name: 'profiler',
    version: stateVersion,
    empty: (shard) => ({ shard, watermark: 0, totals: emptyAccount, watches: [] }),
    step: (state, batch, time, caughtUp) => step(compile, state, batch, time, caughtUp),
    save: saveState,
    load: loadState,
  }
}

/** One step. Pure: the same state, batch, time and flag give the same outs. */
function step(
  compile: (watches: ProfilerState['watches']) => Compiled,
  state: ProfilerState,
  inputs: readonly Input[],
  time: LogTime,
  caughtUp: boolean,
): readonly [ProfilerState, readonly AnyOut[]] {
  const letters = new Letters()
  const outs: AnyOut[] = []
  const taken: LogRecord[] = []
  let account = emptyAccount
  let { watches } = state
  let batch: Batch | null = null

  // Counts what is in the columns: before a watch changes their meaning, when they are full, and at the end.
  const flush = (): void => {
    if (batch === null) return
    const counts = batch.counts()
    outs.push(...counts)
    const counted = counts.reduce((sum, { rows }) => sum + rows, 0)
    account = addAccounts(account, { taken: batch.taken, counted, setAside: batch.setAside, dead: {} })
    batch = null
  }
  const take = (record: LogRecord): void => {
    batch ??= new Batch(compile(watches), letters, inputs.length)
    batch.take(record)
    taken.push(record)
    if (batch.isFull) flush()
  }
  const watch = (out: WatchOut): void => {
    const next = withWatch(watches, out)
    if ('refused' in next) return
    flush()
    watches = next
    const { deployment, generation, specHash } = out
    outs.push({ kind: 'echo', shard: state.shard, deployment, generation, spec: specHash })
  }

  for (const input of inputs) {
    if (input.kind === 'record') take(input.record)
    else if (input.out.kind === 'watch') watch(input.out)
  }
  flush()

  account = addAccounts(account, { ...emptyAccount, dead: letters.rows })
  assertBalanced(account)
  const watermark = watermarkAfter(state.watermark, { time, caughtUp, taken: taken.map(({ at }) => at) })
  outs.push(...letters.outs())
  outs.push({ kind: 'progress', shard: state.shard, watermark, caughtUp, ...accountOf(account) })
  return [{ shard: state.shard, watermark, watches, totals: addAccounts(state.totals, account) }, outs]
}

function accountOf({ taken, counted, setAside, dead }: Account) {
  return { taken, counted, ...(setAside > 0 ? { setAside } : {}), dead: dead as Readonly<Record<string, number>> }
}
