import { readFileSync } from 'node:fs'
import { addPacked, type BaselineDocument, type CountsOut, decodeOut, layoutOf, shardLog } from '@interlock/contracts'
import { beginningOfLog, openSqliteLog, validEntries } from '@interlock/runtime'

const [, , demo = '', feature = 'originDelayRate', producer = 'midwest'] = process.argv
const b = JSON.parse(readFileSync(`${demo}/deployments/v1.baseline.json`, 'utf8')) as BaselineDocument
const layout = layoutOf(b.spec)
const place = layout.features.find((f) => f.name === feature)!
const base = new Float64Array(layout.width)
for (const s of b.slices)
  if (s.dimension === 'producer' && s.value === producer) addPacked(Buffer.from(s.counts, 'base64'), base)
const live = new Float64Array(layout.width)
const log = openSqliteLog({ folder: `${demo}/log` })
const where = { topic: shardLog('profiler'), partition: 0 }
const { end } = await log.bounds(where.topic, 0)
for await (const { entry } of validEntries(log, where, beginningOfLog, end))
  for (const out of entry.outs)
    if (out.kind === 'counts') {
      const c = decodeOut(out) as CountsOut
      if (c.variant !== 'stable') continue
      for (const s of c.slices) if (s.dimension === 'producer' && s.value === producer) addPacked(s.counts, live)
    }
const spec = b.spec.features.find((f) => f.name === feature)!
console.log('rows', base[0], live[0], 'phi', b.phi)
for (let i = 0; i < place.bins + place.specials.length; i++) {
  const p = base[place.at + i]! / base[0]!,
    q = live[place.at + i]! / live[0]!
  if (p > 0.003 || q > 0.003)
    console.log(
      i,
      i < place.bins ? (spec.kind === 'numeric' ? spec.edges[i] : spec.vocabulary[i]) : place.specials[i - place.bins],
      p.toFixed(4),
      q.toFixed(4),
    )
}
await log.close()
