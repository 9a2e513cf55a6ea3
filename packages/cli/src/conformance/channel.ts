import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Order } from '@interlock/contracts'

/** What an agent made of a command; `unheard`: the channel does not tell, or nobody answered. */
export type Answer = { readonly outcome: 'kept' | 'ignored' | 'refused' | 'unheard'; readonly detail: string }

/** How commands reach the agent under test and its facts come back. */
export interface Channel {
  readonly name: string
  /** May it forget all but the last command, whatever its order? Then a publisher sends the highest once more. */
  readonly compacts: boolean
  send(bytes: Uint8Array): Promise<Answer>
  /** Signed facts that have not been given out before, oldest first. */
  newFacts(): Promise<readonly Uint8Array[]>
  /** Does the agent answer? */
  answers(): Promise<boolean>
  close(): Promise<void>
}

/** Longest that the kit waits for one answer of the agent. */
const answerMs = 10_000
/** Tries while the agent says that there are too many requests. */
const busyTries = 40

/** An agent's HTTPS endpoint: `POST /v1/commands`, `GET /v1/state`, `GET /v1/facts`. */
export function endpointChannel(url: string, readToken?: string): Channel {
  let seen = 0
  const headers: Record<string, string> = readToken === undefined ? {} : { authorization: `Bearer ${readToken}` }
  const get = (path: string): Promise<Response> =>
    fetch(new URL(path, url), { headers, redirect: 'error', signal: AbortSignal.timeout(answerMs) })
  return {
    name: url,
    compacts: false,
    async send(bytes) {
      for (let attempt = 0; attempt < busyTries; attempt++) {
        const response = await fetch(new URL('/v1/commands', url), {
          method: 'POST',
          body: Buffer.from(bytes),
          signal: AbortSignal.timeout(answerMs),
        }).catch((error: unknown) => String(error))
        if (typeof response === 'string') return { outcome: 'unheard', detail: response }
        const text = await response.text().catch(() => '')
        if (response.status !== 429) return answerOf(response.status, text)
        await sleep(100)
      }
      return { outcome: 'unheard', detail: `it says 429 for ${busyTries} tries` }
    },
    async newFacts() {
      const all: Uint8Array[] = []
      for (;;) {
        const response = await get(`/v1/facts?after=${seen}`)
        if (response.status !== 200) throw new Error(`GET /v1/facts answered ${response.status}`)
        const { facts } = (await response.json()) as { facts: readonly { n: number; envelope: string }[] }
        if (facts.length === 0) return all
        for (const { n, envelope } of facts) {
          seen = Math.max(seen, n)
          all.push(Buffer.from(envelope, 'utf8'))
        }
      }
    },
    async answers() {
      try {
        if ((await get('/v1/state')).status !== 200) return false
        // A new process numbers its facts from 1 again.
        seen = 0
        return true
      } catch {
        return false
      }
    },
    close: async () => {},
  }
}

function answerOf(status: number, text: string): Answer {
  const detail = `${status} ${text.slice(0, 200)}`
  if (status !== 200) return { outcome: 'refused', detail }
  try {
    const { outcome } = JSON.parse(text) as { outcome?: unknown; order?: Order }
    if (outcome === 'kept' || outcome === 'ignored') return { outcome, detail }
  } catch {
    // Falls through: not the answer of the protocol.
  }
  return { outcome: 'unheard', detail: `an answer that is not of the protocol: ${detail}` }
}

/** An agent that the kit starts, kills and starts again. */
export interface Started {
  start(): void
  /** It has ended by itself. */
  ended(): boolean
  /** SIGKILL to the whole process group, as a crash would end it. */
  kill(): Promise<void>
}

/** @param output file for what the agent prints */
export function startedAgent(command: string, environment: Readonly<Record<string, string>>, output: string): Started {
  let child: ChildProcess | undefined
  let ended: Promise<unknown> = Promise.resolve()
  const killNow = (): void => {
    const pid = child?.pid
    child = undefined
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch (error) {
      // Already ended.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
  // It runs in a process group of its own, so our end does not end it by itself.
  process.once('exit', killNow)
  return {
    ended: () => child !== undefined && (child.exitCode !== null || child.signalCode !== null),
    start() {
      const log = createWriteStream(output, { flags: 'a' })
      const started = spawn(command, {
        shell: true,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...environment },
      })
      started.stdout.pipe(log, { end: false })
      started.stderr.pipe(log, { end: false })
      ended = new Promise((resolve) => started.once('close', resolve)).then(() => log.end())
      started.once('error', () => log.end())
      child = started
    },
    async kill() {
      killNow()
      await ended
    },
  }
}
