import type { EchoOut, EventTime, LogTime, ReadyToCountOut, WatchOut } from '@interlock/contracts'
import { endsOfExceptions, policyAt } from '@interlock/deployment'
import { paneFrom, rowsOf } from './panes.ts'
import { type Methods, planOf } from './plan.ts'
import type { Pending, Track, Watched } from './state.ts'

/** A first watch reaches back so far at most: an earlier `from` cannot make the evaluator close panes for days. */
const longestPastMs = 86_400_000

/**
 * Takes a watch. The first one is in force from the first whole pane at `from`; a later one from there too, or from the first
 * pane that is still open, whichever is later. A watch replaces those that would come into force with it or after it.
 * Where an exception of its policy ends, the same watch comes into force once more, under the strict rule.
 */
export function takeWatch(watched: Watched, watch: WatchOut, methods: Methods, time: LogTime): Watched {
  const { paneMs } = watch.policy.times
  const newest = watched.pending.at(-1)?.watch ?? watched.watch
  if (newest !== null && watch.generation < newest.generation) return watched
  if (watched.watch === null) {
    const from = paneFrom(Math.max(watch.from, time - longestPastMs), paneMs)
    const started = startWatching({ ...watched, first: from, next: from }, asOf(watch, from), methods)
    return { ...started, pending: afterExceptions(watch, from) }
  }
  const from = paneFrom(Math.max(watch.from, watched.next), paneMs)
  const kept = watched.pending.filter((pending) => pending.from < from)
  const pending = [...kept, { from, watch: asOf(watch, from) }, ...afterExceptions(watch, from)]
  return putInForce({ ...watched, pending }, methods)
}

function asOf(watch: WatchOut, pane: EventTime): WatchOut {
  return { ...watch, policy: policyAt(watch.policy, pane) }
}

function afterExceptions(watch: WatchOut, from: EventTime): readonly Pending[] {
  return endsOfExceptions(watch.policy, from).map((end) => {
    const pane = paneFrom(end, watch.policy.times.paneMs)
    return { from: pane, watch: asOf(watch, pane) }
  })
}

/** Brings the pending watch into force when its first pane is next. */
export function putInForce(watched: Watched, methods: Methods): Watched {
  const [due, ...pending] = watched.pending
  if (due === undefined || due.from > watched.next) return watched
  const next = paneFrom(watched.next, due.watch.policy.times.paneMs)
  return putInForce(changeWatch({ ...watched, pending, next }, due, methods), methods)
}

function startWatching(watched: Watched, watch: WatchOut, methods: Methods): Watched {
  const panes = new Map(watched.panes)
  let before = watched.before
  for (const [start, pane] of watched.panes) {
    if (start >= watched.first) continue
    before += rowsOf(pane)
    panes.delete(start)
  }
  return { ...watched, watch, plan: planOf(watch, methods), panes, before }
}

/**
 * A new generation begins its totals and its candidate's evidence anew. Endless watching of a version against its baseline
 * goes on where nothing of it changed: promotion and completion do not reset a guard.
 */
function changeWatch(watched: Watched, { watch }: Pending, methods: Methods): Watched {
  const plan = planOf(watch, methods)
  const isSameGeneration = watch.generation === watched.watch?.generation
  const tracks = new Map<string, Track>()
  for (const { key, role } of plan.subjects) {
    const old = watched.tracks.get(key)
    if (old !== undefined && (role === 'stable' || isSameGeneration)) tracks.set(key, old)
  }
  const harm = new Map([...watched.harm].filter(([key]) => tracks.has(key)))
  // Panes of another layout cannot be summed with those to come.
  const unmoved = plan.specHash === watched.plan?.specHash ? watched.unmoved : []
  const fresh = { totals: [], late: 0, spans: new Map() }
  return { ...watched, watch, plan, tracks, harm, unmoved, ...(isSameGeneration ? {} : fresh) }
}

/** Keeps a shard's newest echo. */
export function hearEcho(watched: Watched, { shard, generation, spec }: EchoOut): Watched {
  const old = watched.echoes.get(shard)
  if (old !== undefined && old.generation > generation) return watched
  return { ...watched, echoes: new Map(watched.echoes).set(shard, { generation, spec }) }
}

/** Says once that every profiler shard counts under the newest watch's spec. */
export function tellReady(
  watched: Watched,
  profilerShards: number,
): readonly [watched: Watched, outs: readonly ReadyToCountOut[]] {
  const watch = watched.pending.at(-1)?.watch ?? watched.watch
  if (watch === null) return [watched, []]
  const { generation, specHash: spec, deployment } = watch
  if (watched.ready?.generation === generation && watched.ready.spec === spec) return [watched, []]
  for (let shard = 0; shard < profilerShards; shard++) {
    const echo = watched.echoes.get(shard)
    if (echo?.generation !== generation || echo.spec !== spec) return [watched, []]
  }
  return [{ ...watched, ready: { generation, spec } }, [{ kind: 'ready-to-count', deployment, generation, spec }]]
}
