/**
 * Live traffic as a process of its own: April to June 2001, replayed at the present time.
 *
 *   node src/traffic-main.ts --router http://127.0.0.1:PORT [--rate 1500] [--speed 1] [--from 2001-04-01] [--days N]
 *                            [--seed 1] [--fault source]
 *
 * `rate` is predictions a second and `speed` multiplies it: at 1500 × 1 a flight-day takes about 11 s.
 * Standard input takes lines: `fault source on`, `fault source off`, `rate 3000`, `stop`.
 * Standard output gives one JSON line a second (`TrafficProgress`). SIGTERM ends it cleanly.
 */
import { Agent, request as httpRequest } from 'node:http'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { dayOfDate, loadFlights, spans } from './data.ts'
import { startTraffic, type TrafficProgress } from './traffic.ts'

const { values } = parseArgs({
  options: {
    router: { type: 'string' },
    rate: { type: 'string', default: '1500' },
    speed: { type: 'string', default: '1' },
    from: { type: 'string', default: '2001-04-01' },
    days: { type: 'string' },
    seed: { type: 'string', default: '1' },
    fault: { type: 'string', default: 'none' },
  },
})

const answerTimeoutMs = 5_000

if (values.router === undefined) {
  console.error('traffic: --router is missing\n  usage: node src/traffic-main.ts --router http://127.0.0.1:PORT')
  process.exit(2)
}
const router = new URL('/predict', values.router)
const agent = new Agent({ keepAlive: true, maxSockets: 8 })
const stop = new AbortController()
const days = { from: dayOfDate(values.from), to: spans.live.to }
const traffic = startTraffic({
  flights: await loadFlights(days),
  days,
  ...(values.days === undefined ? {} : { stopAfterDays: Number(values.days) }),
  rate: Number(values.rate) * Number(values.speed),
  seed: Number(values.seed),
  sourceFault: values.fault === 'source',
  send: (rows) => post(JSON.stringify({ rows })),
  report: print,
  signal: stop.signal,
})

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const [word, ...rest] = line.trim().split(/\s+/)
  if (word === 'stop') stop.abort()
  else if (word === 'rate' && Number(rest[0]) > 0) traffic.setRate(Number(rest[0]))
  else if (word === 'fault' && rest[0] === 'source') traffic.setSourceFault(rest[1] === 'on')
  else console.error(`traffic: "${line}" is not understood; lines are: fault source on|off, rate N, stop`)
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())

const last = await traffic.done
print(last)
lines.close()
agent.destroy()
process.exit(last.sent > 0 ? 0 : 3)

function print(progress: TrafficProgress): void {
  console.log(JSON.stringify(progress))
}

/** Posts one batch and reads its answer to the end. */
function post(body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sending = httpRequest(router, { method: 'POST', agent, headers, timeout: answerTimeoutMs }, (response) => {
      response.resume()
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`the router answered ${response.statusCode}`))
      })
    })
    sending.once('timeout', () => sending.destroy(new Error(`the router did not answer within ${answerTimeoutMs} ms`)))
    sending.once('error', reject)
    sending.end(body)
  })
}
