import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Console, type ConsolePorts, createConsole } from '@interlock/console'
import { isProbe } from '@interlock/contracts'
import { type Endpoint, endpointFile } from '../api-client.ts'
import type { Config } from '../config.ts'
import { UsageError } from '../errors.ts'
import { deadLetters } from './dead-letters.ts'
import { doors } from './doors.ts'
import { followPart } from './follow.ts'
import { keptReceipts } from './kept-receipts.ts'
import { receiptLister } from './receipt.ts'
import type { Part, Wiring } from './wiring.ts'

export interface ConsoleOptions {
  readonly token: string
  readonly demo: boolean
  /** Signs what is asked for on the page, with the operator's key, and records it. */
  readonly submit: ConsolePorts['submit']
}

/** The page, the API and the two doors, on 127.0.0.1. */
export interface OpenConsole {
  readonly url: string
  /** Follow the logs that the page shows. */
  readonly parts: readonly Part[]
  close(): Promise<void>
}

/** Listens; nothing is read before. @throws UsageError when the port is taken */
export async function openConsole(wiring: Wiring, options: ConsoleOptions): Promise<OpenConsole> {
  const { config, log, clock, eventPartitions } = wiring
  const letters = deadLetters(wiring)
  const page = createConsole({
    token: options.token,
    now: clock.now,
    demo: options.demo,
    submit: options.submit,
    receipt: receiptLister(log),
    deadLetters: letters,
    routes: (app) => doors(app, { log, eventTopics: () => [...eventPartitions.keys()] }),
  })
  const receipts = keptReceipts(wiring, (of) => page.receiptPlan(of))
  const url = await listen(page, config).catch(async (error: unknown) => {
    await page.close()
    throw error
  })
  await writeEndpoint(config, { url, token: options.token, pid: process.pid })
  return {
    url,
    // The governor's first: then no evidence behind a decision is forgotten meanwhile.
    parts: (['governor', 'evaluator'] as const)
      .map((processor) =>
        followPart(wiring, processor, (out, at, offset, shard) => {
          letters.see(out)
          // The probe is no deployment of anybody's: of how it fares the watchers tell.
          if ('deployment' in out && isProbe(out.deployment)) return
          page.feed(processor, shard, offset, at, out)
          receipts.see(out)
        }),
      )
      .concat(receipts.part),
    async close() {
      await page.close()
      await withdrawEndpoint(config)
    },
  }
}

async function listen(page: Console, { listen: { port } }: Config): Promise<string> {
  try {
    return `http://127.0.0.1:${await page.listen(port)}`
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    throw new UsageError(
      `Port ${port} is taken, perhaps by another Interlock. End that one, or choose another port: --port for the demo, listen.port in interlock.yaml.`,
    )
  }
}

async function writeEndpoint(config: Config, endpoint: Endpoint): Promise<void> {
  await writeFile(join(config.data, endpointFile), JSON.stringify(endpoint), { mode: 0o600 })
}

/** Takes the endpoint file away, unless another Interlock on the same folder has written its own since. */
async function withdrawEndpoint(config: Config): Promise<void> {
  const file = join(config.data, endpointFile)
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text !== null && (JSON.parse(text) as Endpoint).pid === process.pid) await rm(file, { force: true })
}
