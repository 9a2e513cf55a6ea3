import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Envelope } from '@interlock/console'
import { Unavailable } from './errors.ts'

/** Where a running `interlock up` listens, and the token that opens it. Written by `up`, mode 0600. */
export interface Endpoint {
  readonly url: string
  readonly token: string
  readonly pid: number
}

export const endpointFile = 'endpoint.json'

/** Talks to the running Interlock of a data folder. */
export interface ApiClient {
  readonly endpoint: Endpoint
  get<Body>(path: string): Promise<Envelope<Body>>
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<unknown>
  /** An answer of JSON lines, as they come; it may take as long as it goes on. @throws Unavailable when it is cut off */
  lines(path: string): AsyncIterable<string>
}

/** @throws Unavailable when nothing runs on this data folder. */
export function apiClient(data: string): ApiClient {
  const file = join(data, endpointFile)
  let endpoint: Endpoint
  try {
    endpoint = JSON.parse(readFileSync(file, 'utf8')) as Endpoint
  } catch {
    throw new Unavailable(
      `Interlock does not run on ${data}: ${endpointFile} is not there. Start it with \`interlock up\`, or name another folder with --data.`,
    )
  }
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    try {
      return await fetch(new URL(path, endpoint.url), {
        ...init,
        redirect: 'error',
        headers: { authorization: `Bearer ${endpoint.token}`, 'x-interlock': '1', ...init.headers },
      })
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
      throw new Unavailable(
        `Interlock at ${endpoint.url} does not answer (${cause}). Is \`interlock up\` still running?`,
      )
    }
  }
  const assertGood = async (response: Response, path: string, method = 'GET'): Promise<void> => {
    if (response.ok) return
    const detail = detailOf(await response.text())
    if (response.status >= 500)
      throw new Unavailable(detail ?? `${path} answered ${response.status}; whether it was done is not known.`)
    throw new ApiError(response.status, detail ?? `${method} ${path} answered ${response.status}`)
  }
  const call = async (path: string, init: RequestInit): Promise<unknown> => {
    const response = await ask(path, { ...init, signal: AbortSignal.timeout(10_000) })
    await assertGood(response, path, init.method)
    const text = await response.text()
    return text === '' ? null : (JSON.parse(text) as unknown)
  }
  async function* lines(path: string): AsyncGenerator<string> {
    const response = await ask(path, {})
    await assertGood(response, path)
    let rest = ''
    const text = new TextDecoder('utf-8', { fatal: true })
    try {
      for await (const chunk of response.body ?? []) {
        const whole = (rest + text.decode(chunk as Uint8Array, { stream: true })).split('\n')
        rest = whole.pop() ?? ''
        yield* whole
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      throw new Unavailable(
        `The answer of ${endpoint.url} was cut off (${error.message}). interlock.log may say why; ask again.`,
      )
    }
    if (rest !== '') yield rest
  }
  return {
    endpoint,
    lines,
    get: async <Body>(path: string) => (await call(path, {})) as Envelope<Body>,
    post: (path, body, headers = {}) =>
      call(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  }
}

/** The API answered, and the answer is no. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

function detailOf(text: string): string | undefined {
  try {
    const problem = JSON.parse(text) as { detail?: unknown; title?: unknown }
    return typeof problem.detail === 'string'
      ? problem.detail
      : typeof problem.title === 'string'
        ? problem.title
        : undefined
  } catch {
    return undefined
  }
}
