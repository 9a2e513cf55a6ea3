import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { canonicalJson, type KeyEntry, Malformed, parseStrict } from '@interlock/contracts'
import { isComplete, type ReceiptHeader, verifyHeader } from './header.ts'

export type Checked =
  | { readonly ok: true; readonly header: ReceiptHeader; readonly signedBy: KeyEntry }
  | { readonly ok: false; readonly why: string }

/** A row is far smaller; a line without an end must not fill the memory. */
const maxLineBytes = 1 << 21

/**
 * Checks a receipt with public keys alone, in one pass: the signature, the hash over the rows, their number, and that every
 * row lies in what the header says.
 */
export async function checkReceipt(file: string, keys: readonly KeyEntry[]): Promise<Checked> {
  let signed: { readonly header: ReceiptHeader; readonly signedBy: KeyEntry } | null = null
  const hash = createHash('sha256')
  let rows = 0
  let late = 0
  for await (const { line, ended } of linesOf(file)) {
    if (line === null) return no(`a line of it has more than ${maxLineBytes} bytes`)
    if (signed === null) {
      const verified = verifyHeader(line, keys)
      if (!verified.ok) return no(`the header is refused (${verified.reason}): ${verified.detail}`)
      signed = { header: verified.header, signedBy: verified.key }
      continue
    }
    if (!ended) return no(`it ends in the middle of row ${rows + 1}`)
    hash.update(`${line}\n`)
    rows++
    const read = readRow(line, signed.header)
    if ('wrong' in read) return no(`row ${rows}: ${read.wrong}`)
    if (read.isLate) late++
  }
  if (signed === null) return no('it is empty')
  const { header } = signed
  if (rows !== header.end.rows) return no(`it has ${rows} rows, and the header says ${header.end.rows}`)
  if (hash.digest('hex') !== header.rowsHash) return no('its rows are not those that were signed')
  if (late !== header.end.late) return no(`${late} rows are late, and the header says ${header.end.late}`)
  if (header.complete && !isComplete(header)) return no('it says that it is complete, and it is not')
  return { ok: true, ...signed }
}

/** A row of this receipt, or why it is none. */
function readRow(line: string, { plan }: ReceiptHeader): { readonly isLate: boolean } | { readonly wrong: string } {
  let row: unknown
  try {
    row = parseStrict(line)
  } catch (error) {
    if (error instanceof Malformed) return { wrong: error.message }
    throw error
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row) || canonicalJson(row) !== line) {
    return { wrong: 'it is no row in canonical JSON' }
  }
  const { at, version, variant, generation, late } = row as Readonly<Record<string, unknown>>
  if (version !== plan.from || variant === 'shadow') return { wrong: 'it is an answer of another version' }
  if (typeof generation !== 'number' || generation > plan.generation) return { wrong: 'it is of a later generation' }
  if (typeof at !== 'number' || at < plan.onset.from) return { wrong: 'it lies before the onset' }
  if (plan.until !== null && at >= plan.until) return { wrong: 'it lies behind the end' }
  return { isLate: late === true }
}

function no(why: string): Checked {
  return { ok: false, why }
}

/** Lines with what ended them; null where one is too long. */
async function* linesOf(file: string): AsyncGenerator<{ readonly line: string | null; readonly ended: boolean }> {
  let rest = ''
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 18 })) {
    const whole = (rest + String(chunk)).split('\n')
    rest = whole.pop() ?? ''
    for (const line of whole) yield { line, ended: true }
    if (rest.length > maxLineBytes) {
      yield { line: null, ended: false }
      return
    }
  }
  if (rest !== '') yield { line: rest, ended: false }
}
