import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Hash, Observed } from '@interlock/contracts'

/** The three calls that an agent makes of its platform. */
export type Call = 'observe' | 'ready' | 'apply'
/** Where in a call the platform stops: before its effect, after it but unanswered, or answered. */
export type Moment = 'before' | 'inside' | 'after'
export type PlatformState = Omit<Observed, 'version'>

/** One try to change the platform, in order of arrival. */
export interface Change {
  readonly ifMatch: string | undefined
  readonly wish: PlatformState
  readonly outcome: 'done' | 'conflict' | 'refused' | 'pretended' | 'no-if-match'
  /** Observations that were answered between the change before and this one. */
  readonly observedSince: number
}

/** A call that is held, and how to let it go on, or drop its connection. */
export interface Held {
  readonly arrived: () => boolean
  release(how: 'go-on' | 'drop'): void
}

/** How the platform behaves; what is absent is as it should be. */
export interface Behaviour {
  observe?: 'garbage' | 'down'
  observeDelayMs?: number
  ready?: 'no' | 'without-checks' | 'yes-with-a-failed-check'
  apply?: 'refuse' | 'pretend'
  /** So many changes are met by another hand's change just before them. */
  interferences?: number
}

/**
 * The kit's own platform: an HTTP stand-in with an honest compare-and-set, that can be slow, refuse, conflict, lie, or hold
 * a call. It speaks three dialects on one state, so that an agent may use the one it knows (docs/agent-protocol.md):
 * `GET|PUT /state` and `GET /ready`, `POST /apply` of the `http` platform, and `/admin/…` of the `router`.
 */
export class StandInPlatform {
  behaviour: Behaviour = {}
  readonly changes: Change[] = []
  /** Every state that was ever in force, by its version. */
  readonly history = new Map<string, PlatformState>()
  observations = 0
  readonly #targets: readonly Hash[]
  #state: PlatformState
  #revision = 0
  #observedSince = 0
  #held:
    | {
        readonly call: Call
        readonly moment: Moment
        arrived: boolean
        readonly release: (how: 'go-on' | 'drop') => void
        readonly released: Promise<'go-on' | 'drop'>
      }
    | undefined
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy())
  })

  constructor(targets: readonly Hash[]) {
    const [stable] = targets
    if (stable === undefined) throw new Error('a platform needs an artifact to serve')
    this.#targets = targets
    this.#state = { generation: 0, stable, candidate: null, share: 0, shadow: false, fallback: false }
    this.history.set(this.version, this.#state)
  }

  get version(): string {
    return `r${this.#revision}`
  }

  get state(): PlatformState {
    return this.#state
  }

  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Another hand changes the platform. */
  interfere(change: Partial<PlatformState>): void {
    this.#become({ ...this.#state, ...change })
  }

  /** The next such call stops at that moment until it is released. */
  hold(call: Call, moment: Moment): Held {
    const { promise: released, resolve: release } = Promise.withResolvers<'go-on' | 'drop'>()
    const held = { call, moment, arrived: false, release, released }
    this.#held = held
    return { arrived: () => held.arrived, release }
  }

  /** Behaves as it should again and drops a call that is still held. */
  behave(): void {
    this.behaviour = {}
    this.#held?.release('drop')
    this.#held = undefined
  }

  #become(state: PlatformState): void {
    this.#revision++
    this.#state = state
    this.history.set(this.version, state)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://platform')
    const path = url.pathname.replace(/^\/admin/, '')
    const body = await bodyOf(request)
    const call: Call | undefined =
      path === '/ready'
        ? 'ready'
        : path === '/apply' || request.method === 'PUT'
          ? 'apply'
          : path === '/state'
            ? 'observe'
            : undefined
    if (call === undefined) return answer(response, 404, { error: 'there are /state, /ready and /apply here' })

    if ((await this.#stop(call, 'before')) === 'drop') return void response.destroy()
    const [status, content] = await this.#answerTo(call, url, request, body)
    if ((await this.#stop(call, 'inside')) === 'drop' || status === 0) return void response.destroy()
    answer(response, status, content, this.version)
    await this.#stop(call, 'after')
  }

  async #stop(call: Call, moment: Moment): Promise<'go-on' | 'drop'> {
    const held = this.#held
    if (held === undefined || held.arrived || held.call !== call || held.moment !== moment) return 'go-on'
    held.arrived = true
    return held.released
  }

  async #answerTo(
    call: Call,
    url: URL,
    request: IncomingMessage,
    body: string,
  ): Promise<readonly [status: number, content: unknown]> {
    switch (call) {
      case 'observe': {
        const { observe, observeDelayMs } = this.behaviour
        if (observeDelayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, observeDelayMs))
        this.observations++
        if (observe === 'down') return [0, null]
        if (observe === 'garbage') return [200, { version: this.version, stable: 'v1', share: 'most' }]
        this.#observedSince++
        return [200, this.#shown()]
      }
      case 'ready':
        return this.#readiness(url.searchParams.get('target'))
      case 'apply':
        return this.#change(request.headers['if-match'], wishIn(body))
    }
  }

  #shown(): unknown {
    const version = this.version
    return { version, etag: version, ...this.#state, targets: this.#targets, loaded: this.#targets }
  }

  #readiness(target: string | null): readonly [number, unknown] {
    const { ready } = this.behaviour
    const here = this.#targets.some((one) => one === target)
    if (ready === 'without-checks') return [200, { ready: true, checks: [] }]
    const ok = here && ready === undefined
    const checks = [{ name: 'digest', ok, detail: ok ? '' : 'the bytes differ' }]
    return [200, { ready: ready === 'no' ? false : here, checks }]
  }

  #change(ifMatch: string | undefined, wish: PlatformState): readonly [number, unknown] {
    const note = (outcome: Change['outcome']): void => {
      this.changes.push({ ifMatch, wish, outcome, observedSince: this.#observedSince })
      this.#observedSince = 0
    }
    if (ifMatch === undefined || ifMatch === '' || ifMatch === '*') {
      note('no-if-match')
      return [428, { error: 'name the version that you observed' }]
    }
    if ((this.behaviour.interferences ?? 0) > 0) {
      this.behaviour.interferences = (this.behaviour.interferences ?? 0) - 1
      this.interfere({})
    }
    if (ifMatch.replaceAll('"', '') !== this.version) {
      note('conflict')
      return [412, this.#shown()]
    }
    if (this.behaviour.apply === 'refuse') {
      note('refused')
      return [503, { error: 'the stand-in refuses every change now' }]
    }
    if (this.behaviour.apply === 'pretend') {
      note('pretended')
      return [200, this.#shown()]
    }
    note('done')
    this.#become(wish)
    return [200, this.#shown()]
  }
}

/** What is wished for, from either dialect. */
function wishIn(body: string): PlatformState {
  const value = JSON.parse(body) as Record<string, unknown>
  if (!('desired' in value)) return value as unknown as PlatformState
  const { desired, order } = value as { desired: Record<string, unknown>; order: number[] }
  const { target, candidate, shareMax, shadow, fallback } = desired
  return { generation: order[0], stable: target, candidate, share: shareMax, shadow, fallback } as PlatformState
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

function answer(response: ServerResponse, status: number, content: unknown, version?: string): void {
  if (response.destroyed) return
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(version === undefined ? {} : { etag: version }),
  })
  response.end(JSON.stringify(content))
}
