import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP } from 'node:net'

export interface CallOptions {
  readonly url: URL
  /** Posted where there is one; else the address is asked. */
  readonly body?: Uint8Array
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  /** An answer is waited for so long, from the first byte to the last. */
  readonly timeoutMs: number
  /** The only authorities that may vouch for the other side, PEM; absent: those that the system trusts. */
  readonly ca?: string
}

/** Nobody reads more of an answer. */
const maxAnswerBytes = 64 * 1024

/**
 * One call, without redirects, on a connection of its own: what is said in an emergency must not depend on a pool.
 *
 * @throws Error that names host and reason when there is no answer in time
 */
export async function call(options: CallOptions): Promise<{ readonly status: number; readonly text: string }> {
  const { url, body, contentType = 'application/json', headers = {}, timeoutMs, ca } = options
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new Error(`${url.host}: ${error.message}`, { cause: error }))
    const request = send(url, {
      method: body === undefined ? 'GET' : 'POST',
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      headers:
        body === undefined ? headers : { ...headers, 'content-type': contentType, 'content-length': body.length },
      ...(ca === undefined ? {} : { ca }),
    })
    request.on('error', (error) =>
      fail(error.name === 'AbortError' ? new Error(`no answer within ${timeoutMs} ms`) : error),
    )
    request.on('response', (response) => {
      const parts: Buffer[] = []
      let length = 0
      response.on('data', (part: Buffer) => {
        length += part.length
        if (length > maxAnswerBytes) request.destroy(new Error(`it answers with more than ${maxAnswerBytes} bytes`))
        else parts.push(part)
      })
      response.on('error', fail)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }))
    })
    request.end(body)
  })
}

/** Why an address must not be called, or null: TLS, or this very machine. */
export function unsafeAddress(url: URL): string | null {
  if (url.protocol === 'https:') return null
  if (url.protocol !== 'http:') return `${url.protocol} cannot be called; use https`
  return isLoopback(url.hostname) ? null : 'plain http may only call this machine itself (127.0.0.1); use https'
}

function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '')
  if (name === 'localhost' || name === '::1') return true
  return isIP(name) === 4 && name.startsWith('127.')
}
