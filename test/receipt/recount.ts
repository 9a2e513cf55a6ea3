import { canonicalJson, contentTypes, decodeEvents, type LogRecord, type Prediction } from '@interlock/contracts'
import type { EventLog } from '@interlock/runtime'

/** An answer and where it lies. */
export interface Answer {
  readonly event: Prediction
  readonly place: string
}

/** What tests send as a message that nobody can read. */
const openBracket = '['.charCodeAt(0)

/** Every prediction in the log, decoded record by record with the reference decoder, and nothing of what the profiler uses. */
export async function answersIn(log: EventLog, topic = 'predictions'): Promise<Answer[]> {
  const records: LogRecord[] = []
  const partitions = await log.partitions(topic)
  for (let partition = 0; partition < partitions; partition++) {
    const { begin, end } = await log.bounds(topic, partition)
    for await (const batch of log.read({ topic, partition, from: begin, to: end })) records.push(...batch.records)
  }
  const whole = records.filter(({ value }) => value?.at(-1) !== openBracket)
  return whole.flatMap(({ partition, offset, value, headers }) =>
    decodeEvents('prediction', headers['content-type'] ?? contentTypes.json, value ?? new Uint8Array()).map(
      (event, row) => ({ event, place: `${topic}/${partition}/${offset}/${row}` }),
    ),
  )
}

/** What a receipt says of an answer, in one form to compare. */
export function asLine({ event, place }: Answer): string {
  const { id, unit, eventTimeMs, version, variant, generation, status, prediction, score, segments, producer } = event
  return canonicalJson({
    ...{ id, unit, at: eventTimeMs, version, variant, generation, status },
    ...{ output: { prediction, score }, segments, producer, place },
  })
}

/** A row of a receipt in the same form; whether it is late is for another comparison. */
export function withoutLate(line: string): string {
  const { late: _, ...row } = JSON.parse(line) as Record<string, unknown>
  return canonicalJson(row)
}
