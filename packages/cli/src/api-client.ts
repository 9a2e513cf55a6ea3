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
  const call = async (path: string, init: RequestInit): Promise<unknown> => {
    let response: Response
    try {
      response = await fetch(new URL(path, endpoint.url), {
        ...init,
        redirect: 'error',
        signal: AbortSignal.timeout(10_000),
        headers: { authorization: `Bearer ${endpoint.token}`, 'x-interlock': '1', ...init.headers },
      })
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
      throw new Unavailable(
        `Interlock at ${endpoint.url} does not answer (${cause}). Is \`interlock up\` still running?`,
      )
    }
    const text = await response.text()
    if (response.status >= 500)
      throw new Unavailable(detailOf(text) ?? `${path} answered ${response.status}; whether it was done is not known.`)
    if (!response.ok) {
      throw new ApiError(
        response.status,
        detailOf(text) ?? `${init.method ?? 'GET'} ${path} answered ${response.status}`,
      )
    }
    return text === '' ? null : (JSON.parse(text) as unknown)
  }
  return {
    endpoint,
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
