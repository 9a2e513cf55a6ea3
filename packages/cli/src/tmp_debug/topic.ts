import { openSqliteLog } from '@interlock/runtime'

const [, , folder = '', topic = '', last = '5'] = process.argv
const log = openSqliteLog({ folder })
const { begin, end } = await log.bounds(topic, 0)
console.log(begin, end)
for await (const b of log.read({
  topic,
  partition: 0,
  from: end - BigInt(last) < begin ? begin : end - BigInt(last),
  to: end,
}))
  for (const r of b.records) {
    const t = new TextDecoder().decode(r.value ?? new Uint8Array())
    try {
      console.log(String(r.offset), Buffer.from(JSON.parse(t).payload, 'base64').toString().slice(0, 700))
    } catch {
      console.log(String(r.offset), JSON.stringify(r.headers), t.slice(0, 300))
    }
  }
await log.close()
