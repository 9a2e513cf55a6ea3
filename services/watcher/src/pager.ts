import { spawn } from 'node:child_process'
import { call, unsafeAddress, webhookHeaders } from '@interlock/runtime'
import type { Page } from './state.ts'

/** A way on which people hear of it, without Kafka, Redis or the notifier. */
export interface Receiver {
  readonly name: string
  /** Resolves when the receiver has it. */
  tell(message: Message): Promise<void>
}

/** What a receiver gets. */
export interface Message {
  readonly v: 1
  /** Equal for every attempt: drop what was seen. */
  readonly id: string
  /** Equal for all messages of one incident, the one that resolves it too. */
  readonly dedupeKey: string
  readonly kind: Page['kind']
  readonly status: 'firing' | 'resolved'
  readonly environment: string
  readonly watcher: string
  readonly sentence: string
  readonly units: readonly string[]
  readonly at: string
}

export function messageOf(
  page: Page,
  from: { readonly environment: string; readonly self: string },
  at: number,
): Message {
  return {
    v: 1,
    id: page.id,
    dedupeKey: page.incident,
    kind: page.kind,
    status: page.kind === 'resolved' ? 'resolved' : 'firing',
    environment: from.environment,
    watcher: from.self,
    sentence: page.sentence,
    units: page.units,
    at: new Date(at).toISOString(),
  }
}

/** A receiver that has not taken a message by then has not taken it. */
const tellWithinMs = 4_000

/** A signed webhook, as the notifier's (Standard Webhooks). @throws Error at once for an address that must not be called */
export function webhookReceiver(options: {
  readonly url: string
  readonly secret: Uint8Array
  readonly ca?: string
  readonly nowSeconds: () => number
}): Receiver {
  const url = new URL(options.url)
  const unsafe = unsafeAddress(url)
  if (unsafe !== null) throw new Error(`webhook ${options.url}: ${unsafe}`)
  return {
    name: `webhook ${url.host}`,
    async tell(message) {
      const body = JSON.stringify(message)
      const { status } = await call({
        url,
        body: Buffer.from(body),
        contentType: 'application/json',
        headers: webhookHeaders(options.secret, message.id, String(options.nowSeconds()), body),
        timeoutMs: tellWithinMs,
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      })
      if (status < 200 || status > 299) throw new Error(`${url.host} answered ${status}`)
    },
  }
}

/** A program of this machine, such as one that sends a text message: gets the message as JSON on standard input. */
export function commandReceiver(command: readonly string[]): Receiver {
  const [program, ...args] = command
  if (program === undefined) throw new Error('pager.command: name a program')
  return {
    name: `command ${program}`,
    tell: (message) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, args, {
          stdio: ['pipe', 'ignore', 'ignore'],
          timeout: tellWithinMs,
          killSignal: 'SIGKILL',
        })
        child.on('error', reject)
        child.on('close', (code, signal) =>
          code === 0 ? resolve() : reject(new Error(`${program} ended with ${code ?? signal}`)),
        )
        child.stdin.on('error', () => undefined) // it closed its input: its exit code tells
        child.stdin.end(`${JSON.stringify(message)}\n`)
      }),
  }
}
