import { decodeOut, shardLog } from '@interlock/contracts'
import { beginningOfLog, openSqliteLog, validEntries } from '@interlock/runtime'

const [, , folder = '', processor = '', kinds = '', last = '20'] = process.argv
const log = openSqliteLog({ folder })
const where = { topic: shardLog(processor), partition: 0 }
const { end } = await log.bounds(where.topic, 0)
const lines: string[] = []
for await (const { offset, at, entry } of validEntries(log, where, beginningOfLog, end)) {
  for (const out of entry.outs) {
    if (kinds !== '' && !kinds.split(',').includes(out.kind)) continue
    const o = decodeOut(out)
    lines.push(
      `${offset} ${new Date(at).toISOString().slice(11, 23)} ${out.kind} ${JSON.stringify(o, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v instanceof Uint8Array ? `<${v.length}>` : v)).slice(0, Number(process.env.W ?? 600))}`,
    )
  }
}
console.log(lines.slice(-Number(last)).join('\n'))
console.log(String(end), lines.length)
await log.close()
