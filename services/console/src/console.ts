import { join } from 'node:path'
import { shardLog } from '@interlock/contracts'
import type { Console, ConsolePorts } from './api.ts'
import { Changes } from './changes.ts'
import { metricsText } from './metrics.ts'
import { Problem } from './problem.ts'
import { changedBy, emptyProjection, folded, type Projection } from './projection.ts'
import { receiptPlanOf } from './receipt-plan.ts'
import { Requests } from './requests.ts'
import { apiRoutes } from './routes.ts'
import { serverOf } from './server.ts'
import { Streams } from './stream.ts'

/** Deployments that the console keeps; beyond them it refuses, rather than to forget one silently. */
const maxDeployments = 5_000

/**
 * The console: a read-only projection of the governor's and the evaluator's logs behind an HTTP API and one live page.
 * It writes nothing but the requests that it hands to `submit`.
 */
export function createConsole(ports: ConsolePorts): Console {
  const { now, demo, web = join(import.meta.dirname, '../dist') } = ports
  const projections = new Map<string, Projection>()
  const outs = new Map<string, number>()
  const changes = new Changes()
  const streams = new Streams(changes)
  const requests = new Requests(ports.submit)
  const api = apiRoutes({
    now,
    cursor: () => changes.cursor,
    projections,
    requests,
    streams,
    receipt: ports.receipt,
    deadLetters: ports.deadLetters,
  })
  const measured = () => ({ projections, outs, requests, streams: streams.size })
  const app = serverOf({
    ...ports,
    web,
    demo,
    letters: ports.deadLetters !== undefined,
    api,
    metrics: () => metricsText(measured(), now()),
  })
  // Awaited in `listen`; without this a fault in the set-up would end the process before anybody could tell.
  app.catch(() => {})
  return {
    feed(processor, shard, offset, at, out) {
      outs.set(out.kind, (outs.get(out.kind) ?? 0) + 1)
      const about = changedBy(out)
      if (about === null) return
      const projection = projections.get(about.deployment) ?? emptyProjection(about.deployment)
      if (projections.size >= maxDeployments && !projections.has(about.deployment)) {
        throw new RangeError(`the console keeps ${maxDeployments} deployments; ${about.deployment} would be one more`)
      }
      const place = { topic: shardLog(processor), shard, offset: String(offset) }
      projections.set(about.deployment, folded(projection, out, place, at))
      changes.note(about.deployment, about.changed)
    },
    receiptPlan(of) {
      try {
        return receiptPlanOf(projections, of).plan
      } catch (error) {
        if (error instanceof Problem) return null
        throw error
      }
    },
    async listen(port) {
      const server = await app
      await server.listen({ host: '127.0.0.1', port })
      const address = server.server.address()
      return typeof address === 'object' && address !== null ? address.port : port
    },
    async close() {
      streams.close()
      changes.close()
      await (await app).close()
    },
  }
}
