import { setTimeout as sleep } from 'node:timers/promises'
import { encodeArrow } from '@interlock/client'
import { contentTypes, type Hash, type Prediction, sha256, type VersionId } from '@interlock/contracts'
import { type EventLog, LogUnavailable, type Random, seededRandom } from '@interlock/runtime'
import { predictions, version } from '../process/small-deployment.ts'
import type { StandInRouter } from '../process/stand-in-router.ts'

const everyMs = 100
/** Of so many messages one is broken, and one speaks of a deployment that nobody knows. */
const oneBrokenOf = 150
/** Header of ours that says how many rows a message holds: a recount by nobody's code. */
const rowsHeader = 'rows'

export interface Served {
  readonly deployment: string
  readonly router: StandInRouter
  /** Which version has which digest. */
  readonly versionOf: (digest: string) => VersionId
}

export interface LoadOptions {
  readonly log: EventLog
  readonly topic: string
  readonly seed: number
  readonly rowsPerS: number
  readonly served: readonly Served[]
  /** Share of the candidate's answers that are errors; 1 in 100 of the stable version's are. */
  readonly candidateErrors: (deployment: string) => number
}

/** One message that the broker took, where it said it lies. */
export interface Acknowledged {
  readonly partition: number
  readonly offset: bigint
  /** SHA-256 of what was sent. */
  readonly hash: Hash
}

export interface Load {
  /** Rows that were acknowledged. */
  rows(): number
  /** False once it was stopped, or has failed: `stop` tells why. */
  isOn(): boolean
  /** Ends it; what is under way is waited for. */
  stop(): Promise<void>
  readonly acknowledged: readonly Acknowledged[]
}

/**
 * Production traffic straight to the topic, in JSON and Arrow by turns: who answers is what the deployment's router was told
 * last. What the broker refuses or leaves open is not sent again: the next rows have a time of their own.
 */
export function startLoad(options: LoadOptions): Load {
  const random = seededRandom(options.seed)
  const acknowledged: Acknowledged[] = []
  let rows = 0
  let messages = 0
  let isOn = true
  const send = async (partition: number, text: Uint8Array, count: number, contentType: string): Promise<void> => {
    const headers = { 'content-type': contentType, [rowsHeader]: String(count) }
    try {
      const answer = await options.log.append(options.topic, partition, { value: text, headers })
      if (answer === 'unknown') return
      acknowledged.push({ partition, offset: answer.offset, hash: sha256(text) })
      rows += count
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error
    }
  }
  const run = async (): Promise<void> => {
    const partitions = await options.log.partitions(options.topic)
    let owed = 0
    for (let last = performance.now(); isOn; ) {
      await sleep(everyMs)
      const now = performance.now()
      // After an outage the traffic of that time is gone, not made up for.
      owed += (Math.min(now - last, 10 * everyMs) / 1_000) * options.rowsPerS
      last = now
      const each = Math.floor(owed / options.served.length)
      owed -= each * options.served.length
      if (each === 0) continue
      const sending = options.served.map((one) => {
        const partition = Math.floor(random() * partitions)
        const kind = ++messages % oneBrokenOf
        if (kind === 1) return send(partition, Buffer.from('{"records": [{'), 1, contentTypes.json)
        const batch = rowsOf(one, each, messages, options, random)
        if (kind === 2) batch.push({ ...batch[0]!, deployment: 'nobody-knows-it' })
        if (messages % 2 === 0) return send(partition, encodeArrow(batch), batch.length, contentTypes.arrow)
        return send(partition, Buffer.from(JSON.stringify({ records: batch })), batch.length, contentTypes.json)
      })
      await Promise.all(sending)
    }
  }
  const running = run().finally(() => {
    isOn = false
  })
  running.catch(() => undefined) // whoever stops it hears of it
  return {
    rows: () => rows,
    isOn: () => isOn,
    stop: () => {
      isOn = false
      return running
    },
    acknowledged,
  }
}

function rowsOf(served: Served, count: number, message: number, options: LoadOptions, random: Random): Prediction[] {
  const { deployment, router, versionOf } = served
  const { generation, candidate, share } = router.state()
  const isCandidates = Array.from({ length: count }, () => candidate !== null && random() < share)
  const errors = options.candidateErrors(deployment)
  const batch = predictions(count, options.seed + message, Date.now, `${deployment}-${message}`)
  return batch.map((row, index) => {
    const common = { ...row, deployment, generation }
    if (candidate === null || !isCandidates[index]) return { ...common, version, variant: 'stable' }
    const status = random() < errors ? 'error' : 'ok'
    return { ...common, version: versionOf(candidate), variant: 'candidate', status }
  })
}

/** Rows of a message, by the word of who sent it. */
export function rowsIn(headers: Readonly<Record<string, string>>): number {
  return Number(headers[rowsHeader])
}
