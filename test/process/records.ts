import {
  type AnyOut,
  type DeadLetterOut,
  decodeOut,
  type LogRecord,
  type ProgressOut,
  shardLog,
  topics,
} from '@interlock/contracts'
import { beginningOfLog, type EventLog, validEntries } from '@interlock/runtime'

/** Every out of one kind in a processor's valid entries, in order. */
export async function outsOf<Kind extends AnyOut['kind']>(
  log: EventLog,
  processor: string,
  kind: Kind,
): Promise<Extract<AnyOut, { kind: Kind }>[]> {
  const source = { topic: shardLog(processor), partition: 0 }
  const { end } = await log.bounds(source.topic, 0)
  const found: Extract<AnyOut, { kind: Kind }>[] = []
  for await (const { entry } of validEntries(log, source, beginningOfLog, end)) {
    for (const out of entry.outs) {
      if (out.kind === kind) found.push(decodeOut(out) as Extract<AnyOut, { kind: Kind }>)
    }
  }
  return found
}

/** All records of a topic's only partition. */
export async function recordsOf(log: EventLog, topic: string): Promise<LogRecord[]> {
  const { begin, end } = await log.bounds(topic, 0)
  const found: LogRecord[] = []
  for await (const { records } of log.read({ topic, partition: 0, from: begin, to: end })) found.push(...records)
  return found
}

/** What a subscriber of the public topic of dead letters reads. */
export async function deadLettersOf(log: EventLog): Promise<DeadLetterOut[]> {
  const records = await recordsOf(log, topics.dlq)
  return records.map(
    ({ value }) => decodeOut({ kind: 'dead-letter', key: '', value: value ?? new Uint8Array() }) as DeadLetterOut,
  )
}

/** The profiler's account of all rows. */
export async function accountOf(
  log: EventLog,
): Promise<{ taken: number; counted: number; setAside: number; dead: Record<string, number>; deadRows: number }> {
  const account = { taken: 0, counted: 0, setAside: 0, dead: {} as Record<string, number>, deadRows: 0 }
  for (const { taken, counted, setAside = 0, dead } of (await outsOf(log, 'profiler', 'progress')) as ProgressOut[]) {
    account.taken += taken
    account.counted += counted
    account.setAside += setAside
    for (const [reason, rows] of Object.entries(dead)) {
      account.dead[reason] = (account.dead[reason] ?? 0) + rows
      account.deadRows += rows
    }
  }
  return account
}
