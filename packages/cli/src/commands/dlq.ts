import { createInterface } from 'node:readline/promises'
import type { Envelope, LetterList, LetterSelection, LetterShown, Replayed, ReplayPlan } from '@interlock/console'
import { type ApiClient, apiClient } from '../api-client.ts'
import type { Config } from '../config.ts'
import { signPayloadRequest } from '../dead-letters/payload-request.ts'
import { exitCodes, Refused, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { personKey } from '../requester.ts'
import { clock, count } from '../words.ts'

/** `interlock dlq list`: open dead letters by topic and reason. */
export async function dlqList(data: string, selection: LetterSelection, out: Output): Promise<number> {
  const { body } = await apiClient(data).get<LetterList>(`/api/v1/dead-letters?${query(selection)}`)
  const lines = body.groups.map(({ topic, reason, records, rows, replayed, first, last, example }) => {
    const done = replayed > 0 ? `, ${count(replayed)} counted since by replay` : ''
    return `${reason}  ${topic}  ${count(rows)} rows in ${count(records)} records${done}\n    ${clock(first)} to ${clock(last)}, for example ${example.place}: ${example.detail}`
  })
  if (lines.length === 0) lines.push('No dead letters.')
  if (!body.whole) lines.push('There are more records than one look takes; these are the newest.')
  out.result(body, lines.join('\n'))
  return exitCodes.good
}

/** `interlock dlq show <place>`: one dead record; its payload for whoever may see it. */
export async function dlqShow(
  config: Config,
  place: string,
  options: { readonly payload: boolean; readonly as?: string },
  out: Output,
): Promise<number> {
  const api = apiClient(config.data)
  const { body } = await api.get<LetterShown>(`/api/v1/dead-letters/one?${new URLSearchParams({ place })}`)
  const lines = [body.place]
  for (const { at, reason, detail, row, rows, open, whole } of body.letters) {
    const which = whole ? 'the record as a whole' : `${count(rows)} rows, the first is ${row}`
    lines.push(`  ${clock(at)}  ${reason}: ${detail}`, `            ${which}; ${count(open)} open`)
  }
  if (body.replayed > 0) lines.push(`  replayed  ${count(body.replayed)} rows are counted since`)
  lines.push(`  payload   SHA-256 ${body.payload}`)
  lines.push(
    body.record === null
      ? '  record    the log no longer holds it'
      : `  record    ${count(body.record.bytes)} bytes, ${body.record.contentType ?? 'no content type'}, appended ${clock(body.record.at)}`,
  )
  const payload = options.payload ? await payloadOf(config, api, place, options.as ?? config.operator) : null
  if (payload !== null) lines.push('', payload.toString('utf8'))
  out.result({ ...body, ...(payload === null ? {} : { base64: payload.toString('base64') }) }, lines.join('\n'))
  return exitCodes.good
}

async function payloadOf(config: Config, api: ApiClient, place: string, person: string): Promise<Buffer> {
  const { signer } = await personKey(config, person)
  const wish = { v: 1 as const, environment: config.environment, by: person, at: Date.now(), place }
  const envelope: unknown = JSON.parse(Buffer.from(signPayloadRequest(wish, signer)).toString('utf8'))
  const { body } = (await api.post('/api/v1/dead-letters/payload', envelope)) as Envelope<{ base64: string }>
  return Buffer.from(body.base64, 'base64')
}

/**
 * `interlock dlq replay`: says what it would do, asks, appends copies of the records, and waits until they were taken. Exit 1
 * where rows died again.
 */
export async function dlqReplay(
  data: string,
  selection: LetterSelection,
  options: { readonly yes: boolean; readonly timeoutMs: number },
  out: Output,
): Promise<number> {
  const api = apiClient(data)
  const plan = await planOf(api, selection)
  out.say(sentences(plan).join('\n'))
  if (plan.records === 0) {
    out.result({ plan, records: 0, rows: 0, open: 0 }, 'Nothing to submit again.')
    return exitCodes.good
  }
  await confirmed(plan, options.yes)
  const copies = new Map<string, Replayed['copies'][number]>()
  let [records, rows] = [0, 0]
  for (let next: string | null | undefined; next !== null; ) {
    const answer = (await api.post('/api/v1/dead-letters/replay', {
      selection,
      after: next ?? null,
    })) as Envelope<Replayed>
    const { body } = answer
    records += body.records
    rows += body.rows
    for (const copy of body.copies) copies.set(`${copy.topic}/${copy.partition}`, copy)
    next = body.next
  }
  const isDone = await taken(api, [...copies.values()], options.timeoutMs)
  const after = isDone ? await planOf(api, selection) : null
  const result = { plan, records, rows, taken: isDone, open: after?.rows ?? null, dead: after?.dead ?? null }
  const text =
    after === null
      ? `${count(rows)} rows in ${count(records)} records were submitted again; the profiler has not taken all of them yet. \`interlock dlq list\` shows what is open; doing it again doubles nothing.`
      : `${count(rows)} rows in ${count(records)} records were submitted again; ${after.rows === 0 ? 'none of them is open' : `${count(after.rows)} are open still`}.`
  out.result(result, text)
  if (after === null) return exitCodes.unavailableOrUnknown
  return after.rows > 0 ? exitCodes.breachOrRefused : exitCodes.good
}

async function planOf(api: ApiClient, selection: LetterSelection): Promise<ReplayPlan> {
  return (await api.get<ReplayPlan>(`/api/v1/dead-letters/replay-plan?${query(selection)}`)).body
}

function sentences(plan: ReplayPlan): readonly string[] {
  const lines = [
    `${count(plan.rows)} dead rows in ${count(plan.records)} records: ${count(plan.counted)} would be counted now.`,
  ]
  if (plan.late > 0)
    lines.push(
      `${count(plan.late)} of them would come late: their pane is closed, so they are counted as late and move no evidence.`,
    )
  for (const [reason, rows] of Object.entries(plan.dead)) lines.push(`${count(rows)} would die again: ${reason}.`)
  if (plan.gone > 0) lines.push(`${count(plan.gone)} records are gone: the log no longer holds them.`)
  for (const { why, records } of plan.impossible)
    lines.push(`${count(records)} records cannot be submitted again: ${why}.`)
  if (plan.more > 0) lines.push(`${count(plan.more)} more records are not looked at here; they are submitted too.`)
  return lines
}

async function confirmed(plan: ReplayPlan, yes: boolean): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY) throw new UsageError('There is no terminal to ask on. Say --yes.')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`Submit ${count(plan.records + plan.more)} records again now? [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new Refused('Nothing was submitted.')
  } finally {
    terminal.close()
  }
}

/** Waits until the profiler has taken every copy. Letters are published right after, so a moment more. */
async function taken(
  api: ApiClient,
  copies: readonly Replayed['copies'][number][],
  timeoutMs: number,
): Promise<boolean> {
  const end = Date.now() + timeoutMs
  for (const { topic, partition, offset } of copies) {
    const path = `/api/v1/dead-letters/taken?${new URLSearchParams({ topic, partition: String(partition), offset })}`
    while (!(await api.get<{ taken: boolean }>(path)).body.taken) {
      if (Date.now() > end) return false
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }
  await new Promise((resolve) => setTimeout(resolve, settleMs))
  return true
}

const settleMs = 1_500

function query(selection: LetterSelection): URLSearchParams {
  return new URLSearchParams(Object.entries(selection).map(([key, value]) => [key, String(value)]))
}
