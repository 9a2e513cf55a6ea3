/**
 * Writes healthy rows as v1 saw them into march.csv and live.csv (April to June), for `interlock baseline build` and
 * `interlock baseline calibrate`.
 *
 *   node examples/flights/src/tables-main.ts <folder> [every n-th row, default 1]
 */

import { once } from 'node:events'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type DaySpan, loadFlights, spans } from './data.ts'
import { categoricalFeatures, numericFeatures } from './features.ts'
import { decide, score } from './models.ts'
import { keyedLogNormal } from './random.ts'
import { modelledLatency } from './serving.ts'
import { healthyFeatures, train } from './training.ts'
import { requestOf } from './units.ts'

const [folder, every = '1'] = process.argv.slice(2)
if (folder === undefined) throw new Error('tables: name a folder to write into')
const version = 'v1'
const { models } = await train()
const model = models[version]
const features = [...numericFeatures[version], ...categoricalFeatures]
mkdirSync(folder, { recursive: true })
await write('march', spans.march)
await write('live', spans.live)

async function write(name: string, span: DaySpan): Promise<void> {
  const flights = await loadFlights(span)
  const file = createWriteStream(join(folder as string, `${name}.csv`))
  file.write(`time,${features.join(',')},score,prediction,producer,latency\n`)
  for (let row = 0; row < flights.rows; row += Number(every)) {
    const request = requestOf(flights, row)
    const seen = healthyFeatures(version, request, model.rates)
    const byName = seen as Readonly<Record<string, number | string | null>>
    const own = score(model, seen)
    const latency = keyedLogNormal(2001, request.flight, 0, modelledLatency.medianMs, modelledLatency.sigma)
    const cells = [request.departureMs, ...features.map((each) => byName[each] ?? ''), own, decide(model, own)]
    if (!file.write(`${[...cells, request.producer, latency.toFixed(3)].join(',')}\n`)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
}
