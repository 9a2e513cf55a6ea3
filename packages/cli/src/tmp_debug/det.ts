import { readFileSync } from 'node:fs'
import { addPacked, type CountsOut, decodeOut, layoutOf, shardLog, type WatchOut } from '@interlock/contracts'
import { beginningOfLog, openSqliteLog, validEntries } from '@interlock/runtime'
import { detectorFor, resolveSignal } from '@interlock/statistics'

const [, , demo = '', gid = '', dimension = 'producer', value = 'midwest', variant = 'stable'] = process.argv
const log = openSqliteLog({ folder: `${demo}/log` })
const outs = async function* (p: string, kind: string) {
  const where = { topic: shardLog(p), partition: 0 }
  const { end } = await log.bounds(where.topic, 0)
  for await (const { entry } of validEntries(log, where, beginningOfLog, end))
    for (const out of entry.outs) if (out.kind === kind) yield decodeOut(out)
}
let watch: WatchOut | undefined
for await (const o of outs('governor', 'watch')) watch = o as WatchOut
const g = watch!.policy.guardrails.find((x) => x.id === gid)!
const layout = layoutOf(watch!.spec)
const b =
  watch!.baselines.find((x) => x.version === (variant === 'stable' ? watch!.stable : watch!.candidate)) ??
  watch!.baselines[0]!
const base = new Float64Array(layout.width)
for (const s of b.slices)
  if (s.dimension === dimension && (value === '*' || s.value === value))
    addPacked(Buffer.from(s.counts, 'base64'), base)
const panes = new Map<number, Float64Array>()
for await (const o of outs('profiler', 'counts')) {
  const c = o as CountsOut
  if (c.variant !== variant) continue
  const v = panes.get(c.pane) ?? new Float64Array(layout.width)
  panes.set(c.pane, v)
  for (const s of c.slices)
    if (s.dimension === dimension && (value === '*' || s.value === value)) addPacked(s.counts, v)
}
const signal = resolveSignal(g.signal, watch!.spec, b.latencyLimitsMs)
const setup = {
  guardrail: { ...g, minimumSample: 50 },
  signal,
  baseline: base,
  phi: b.phi[g.signal] ?? 1,
  paneMs: 1000,
}
const d = detectorFor(g.detector)
let s = d.start(setup)
let k = 0
for (const [start, now] of [...panes].sort((a, b) => a[0] - b[0])) {
  s = d.update(setup, s, { start, ms: 1000, now, reference: null, coverage: 1 })
  const r = d.read(setup, s)
  if (k++ < 12 || k % 20 === 0)
    console.log(k, now[0], r.logE.harm.toFixed(2), JSON.stringify(r.effect), JSON.stringify(r.drivers[0]))
}
await log.close()
