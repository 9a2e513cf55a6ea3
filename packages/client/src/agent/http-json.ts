/** A platform's answer that is not the one we can work with: names the address, the status and the first words. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError'
}

/** Longest answer that an agent reads from a platform. */
const answerLimit = 256 * 1024
/** A platform that does not answer within this time counts as not answering. */
export const platformTimeoutMs = 5_000

export interface HttpAnswer {
  readonly status: number
  readonly body: unknown
}

/**
 * One JSON request to a platform, bounded in time and size, without following redirects.
 *
 * @throws PlatformError when there is no answer in time, it is too long or not JSON.
 */
export async function requestJson(url: string, init: RequestInit & { readonly token?: string }): Promise<HttpAnswer> {
  const { token, ...rest } = init
  const headers = new Headers(rest.headers)
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  let response: Response
  try {
    response = await fetch(url, {
      ...rest,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(platformTimeoutMs),
    })
  } catch (error) {
    throw new PlatformError(
      `${rest.method ?? 'GET'} ${url} got no answer: ${reasonOf(error)}. Is the platform running and reachable?`,
    )
  }
  const text = await response.text()
  if (text.length > answerLimit)
    throw new PlatformError(`${url} answered ${text.length} characters; at most ${answerLimit}`)
  if (text === '') return { status: response.status, body: null }
  try {
    return { status: response.status, body: JSON.parse(text) as unknown }
  } catch {
    throw new PlatformError(
      `${url} answered status ${response.status} with text that is not JSON: ${text.slice(0, 80)}`,
    )
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause
  return cause instanceof Error ? cause.message : error.message
}
