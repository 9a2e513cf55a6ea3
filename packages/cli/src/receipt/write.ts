import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { ReceiptEnd } from '@interlock/console'
import type { Signer } from '@interlock/contracts'
import { Unavailable } from '../errors.ts'
import { isComplete, type ReceiptHeader, readSaid, signHeader } from './header.ts'

export interface WhoSigns {
  readonly person: string
  readonly signer: Signer
  readonly now: number
}

/**
 * Writes a receipt as its lines come: the rows to a file beside it, hashed on the way, then header and rows under the
 * receipt's own name, whole or not at all.
 *
 * @param lines  `{"plan":…}`, the rows, `{"end":…}`
 * @throws Unavailable when the lines end early
 */
export async function writeReceipt(file: string, lines: AsyncIterable<string>, who: WhoSigns): Promise<ReceiptHeader> {
  const [rowsFile, newFile] = [`${file}.rows`, `${file}.new`]
  try {
    const { plan, end, rowsHash } = await writeRows(rowsFile, lines)
    const signed = readSaid({ plan, end })
    const header: ReceiptHeader = {
      v: 1,
      kind: 'exposure-receipt',
      by: who.person,
      madeAt: who.now,
      ...signed,
      complete: isComplete(signed),
      rowsHash,
    }
    const out = createWriteStream(newFile, { mode: 0o600, flush: true })
    out.write(`${signHeader(header, who.signer)}\n`)
    await pipeline(createReadStream(rowsFile), out)
    await rename(newFile, file)
    return header
  } finally {
    await rm(rowsFile, { force: true })
    await rm(newFile, { force: true })
  }
}

async function writeRows(
  file: string,
  lines: AsyncIterable<string>,
): Promise<{ readonly plan: unknown; readonly end: unknown; readonly rowsHash: string }> {
  const out = createWriteStream(file, { mode: 0o600 })
  const failed = once(out, 'error').then(([error]) => Promise.reject(error as Error))
  failed.catch(() => undefined) // heard of where it is awaited
  const hash = createHash('sha256')
  let plan: unknown = null
  let end: ReceiptEnd | null = null
  let rows = 0
  for await (const line of lines) {
    if (line.startsWith('{"plan":')) plan = (JSON.parse(line) as { plan: unknown }).plan
    else if (line.startsWith('{"end":')) end = (JSON.parse(line) as { end: ReceiptEnd }).end
    else {
      rows++
      const text = `${line}\n`
      hash.update(text)
      if (!out.write(text)) await Promise.race([once(out, 'drain'), failed])
    }
  }
  out.end()
  await Promise.race([once(out, 'finish'), failed])
  if (plan === null || end === null || end.rows !== rows) {
    throw new Unavailable(
      `The receipt was cut off after ${rows} rows: nothing was written. Ask again; interlock.log may say why.`,
    )
  }
  return { plan, end, rowsHash: hash.digest('hex') }
}
