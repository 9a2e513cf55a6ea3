import {
  type AnyOut,
  type Input,
  type LogRecord,
  type LogTime,
  type Processor,
  type ReplayedOut,
  type SchemaRegistry,
  topics,
  type WatchOut,
} from '@interlock/contracts'
import { type Account, addAccounts, assertBalanced, emptyAccount } from './account.ts'
import { Batch, type Witness } from './batch.ts'
import { type Compiler, compiler } from './compiled.ts'
import { Letters } from './letters.ts'
import { withSchema } from './registered.ts'
import { Replays } from './replays.ts'
import { loadState, type ProfilerState, saveState, stateVersion } from './state.ts'
import { withWatch } from './watched.ts'
import { watermarkAfter } from './watermark.ts'

/** What the profiler is made of. With a witness it lists rows while it counts them, and counts them no differently. */
export interface ProfilerParts {
  readonly registry: SchemaRegistry
  readonly witness?: Witness | null
  /** Fields of a record that only the witness looks at. */
  readonly kept?: readonly string[]
}

/**
 * The profiler: events in, integer counts out, and the events are forgotten (docs/architecture.md §1, §2).
 *
 * One step takes records and watches in their order. Rows are decoded into columns and counted by (deployment,
 * generation, version, variant, pane), each time by producer and by each segment. A row that cannot be counted is a dead
 * letter with position and reason. Every row taken is accounted for, and the account must balance.
 */
export function createProfiler({ registry, witness = null, kept }: ProfilerParts): Processor<ProfilerState> {
  const compile = compiler(registry, kept)
  return {
    name: 'profiler',
    version: stateVersion,
    empty: (shard) => ({ shard, watermark: 0, totals: emptyAccount, watches: [] }),
    step: (state, batch, time, caughtUp) => step({ compile, witness }, state, batch, time, caughtUp),
    save: saveState,
    load: loadState,
  }
}

/** One step. Pure: the same state, batch, time and flag give the same outs. */
function step(
  { compile, witness }: { readonly compile: Compiler; readonly witness: Witness | null },
  state: ProfilerState,
  inputs: readonly Input[],
  time: LogTime,
  caughtUp: boolean,
): readonly [ProfilerState, readonly AnyOut[]] {
  const letters = new Letters()
  const replays = new Replays(state.replays ?? [])
  const replayed: ReplayedOut[] = []
  const outs: AnyOut[] = []
  const taken: LogRecord[] = []
  let account = emptyAccount
  let { watches, schemas } = state
  let batch: Batch | null = null

  // Counts what is in the columns: before a watch changes their meaning, when they are full, and at the end.
  const flush = (): void => {
    if (batch === null) return
    const counts = batch.counts()
    outs.push(...counts)
    replayed.push(...batch.replayed)
    const counted = counts.reduce((sum, { rows }) => sum + rows, 0)
    account = addAccounts(account, { taken: batch.taken, counted, setAside: batch.setAside, dead: {} })
    batch = null
  }
  const take = (record: LogRecord): void => {
    taken.push(record)
    if (record.unreadable !== undefined) {
      letters.addUnreadable(record, record.unreadable)
      account = addAccounts(account, { ...emptyAccount, taken: record.unreadable.records })
      return
    }
    batch ??= new Batch(compile(watches, schemas), letters, replays, inputs.length, witness)
    batch.take(record)
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

  const learn = (record: LogRecord): void => {
    const next = withSchema(schemas, record.value)
    if (next === schemas) return
    flush()
    schemas = next
  }

  for (const input of inputs) {
    if (input.kind === 'record') {
      if (input.record.topic === topics.schemas) learn(input.record)
      else take(input.record)
    } else if (input.out.kind === 'watch') watch(input.out)
  }
  flush()

  account = addAccounts(account, { ...emptyAccount, dead: letters.rows })
  assertBalanced(account)
  const watermark = watermarkAfter(state.watermark, { time, caughtUp, taken: taken.map(({ at }) => at) })
  outs.push(...letters.outs(), ...replayed)
  outs.push({ kind: 'progress', shard: state.shard, watermark, caughtUp, ...accountOf(account) })
  const remembered = {
    ...(replays.partitions.length === 0 ? {} : { replays: replays.partitions }),
    ...(schemas === undefined ? {} : { schemas }),
  }
  return [{ shard: state.shard, watermark, watches, totals: addAccounts(state.totals, account), ...remembered }, outs]
}

function accountOf({ taken, counted, setAside, dead }: Account) {
  return { taken, counted, ...(setAside > 0 ? { setAside } : {}), dead: dead as Readonly<Record<string, number>> }
}
