import { createReadStream, existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { apiClient } from '../api-client.ts'
import type { Config } from '../config.ts'
import { exitCodes, Refused, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { publicKeys } from '../parts/keys.ts'
import type { ReceiptHeader } from '../receipt/header.ts'
import { checkReceipt } from '../receipt/verify.ts'
import { writeReceipt } from '../receipt/write.ts'
import { personKey } from '../requester.ts'
import { count } from '../words.ts'

export interface ReceiptOptions {
  readonly out?: string
  readonly as?: string
  /** Beginning of the exposure, instead of what the evidence says. */
  readonly onset?: number
}

/**
 * `interlock receipt <of>`: what a withdrawn version answered, from the onset to its last answer, as a signed file. Exit 1
 * where it is not complete: then the file says what it lacks.
 */
export async function receipt(config: Config, of: string, options: ReceiptOptions, out: Output): Promise<number> {
  const person = options.as ?? config.operator
  const { signer } = await personKey(config, person)
  const query = new URLSearchParams({ of, ...(options.onset === undefined ? {} : { onset: String(options.onset) }) })
  const file = resolve(options.out ?? `receipt-${of.slice(0, 80).replace(/[^A-Za-z0-9.-]/g, '-')}.jsonl`)
  const lines = apiClient(config.data).lines(`/api/v1/receipts?${query}`)
  const header = await writeReceipt(file, lines, { person, signer, now: Date.now() })
  out.result({ file, ...header }, [`${file}`, ...describe(header)].join('\n'))
  return header.complete ? exitCodes.good : exitCodes.breachOrRefused
}

/** `interlock receipt verify <file>`: with public keys alone, nothing has to run. */
export async function receiptVerify(
  config: Config,
  file: string,
  keys: string | undefined,
  out: Output,
): Promise<number> {
  if (!existsSync(file)) throw new UsageError(`${file}: there is no such file.`)
  const environment = (await environmentIn(file)) ?? config.environment
  const { keyset } = await publicKeys({
    ...config,
    environment,
    ...(keys === undefined ? {} : { keys: resolve(keys) }),
  })
  const checked = await checkReceipt(file, keyset.keys)
  if (!checked.ok) throw new Refused(`${file}: ${checked.why}.`)
  const { header, signedBy } = checked
  const signature = `✓ signed by ${signedBy.holder} (key ${signedBy.keyId}), keyset ${keyset.version}; ${count(header.end.rows)} rows match their hash`
  out.result(
    { file, ok: true, keyId: signedBy.keyId, keyset: keyset.version, ...header },
    [signature, ...describe(header)].join('\n'),
  )
  return exitCodes.good
}

/** Which environment the header names. Not believed before its signature is: it only chooses which keyset must fit. */
async function environmentIn(file: string): Promise<string | null> {
  const lines = createInterface({ input: createReadStream(file, { end: 1 << 21 }) })
  for await (const line of lines) {
    try {
      const { payload } = JSON.parse(line) as { payload: string }
      const { plan } = JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as ReceiptHeader
      return String(plan.environment)
    } catch {
      // Whatever it is, `checkReceipt` says what is wrong with it.
      return null
    }
  }
  return null
}

const onsetWords: Readonly<Record<ReceiptHeader['plan']['onset']['source'], string>> = {
  evidence: 'the onset that the evidence of the decision names',
  'earlier-evidence': 'the onset that an earlier decision’s evidence names',
  'whole-exposure': 'no onset is known: everything since the version could answer',
  asked: 'the beginning that was asked for',
}

function describe({ plan, end, complete }: ReceiptHeader): readonly string[] {
  const iso = (at: number | null): string => (at === null ? 'none' : new Date(at).toISOString())
  const { onset, verified } = plan
  const rule = onset.guardrail === null ? '' : `, guardrail ${onset.guardrail}`
  const late = end.late > 0 ? `, ${count(end.late)} of them after their pane was closed` : ''
  const lines = [
    `${plan.deployment}: ${plan.from} answered ${count(end.rows)} times${late}`,
    `  from      ${iso(onset.from)} (${onsetWords[onset.source]}${rule})`,
    `  to        ${iso(end.last)}, its last answer`,
    `  decision  ${plan.outcome} ${iso(plan.decidedAt)}, order ${plan.order.join('.')}, hash ${plan.decision}`,
    verified === null
      ? '  verified  not yet: it may still answer'
      : `  verified  ${iso(verified.at)} by ${verified.by}, to ${plan.to ?? 'no model'}`,
    ...end.sums
      .filter(({ dimension }) => dimension !== 'status')
      .slice(0, 12)
      .map(({ dimension, value, rows }) => `  ${dimension} ${value ?? 'others'}: ${count(rows)}`),
    ...end.read.map(({ topic, partition, from, to }) => `  read      ${topic}/${partition} offsets ${from} to ${to}`),
  ]
  if (end.expired.rows > 0) {
    lines.push(`  EXPIRED   ${count(end.expired.rows)} more answers are counted, and their records are gone:`)
    for (const { topic, partition, from, to } of end.expired.spans) {
      lines.push(`            ${topic}/${partition} offsets ${from} to ${to}`)
    }
  }
  const dead = Object.entries(end.dead)
  if (dead.length > 0) {
    const reasons = dead.map(([reason, rows]) => `${count(rows)} ${reason}`).join(', ')
    lines.push(`  dead      rows of the same time that nobody counted: ${reasons} (interlock dlq list)`)
  }
  lines.push(complete ? '  complete' : '  NOT COMPLETE')
  return lines
}
