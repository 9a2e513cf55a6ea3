import { request as plainRequest } from 'node:http'
import { type RequestOptions, request as secureRequest } from 'node:https'

/** What an agent's endpoint answered. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/** Posts bytes and resolves with the answer, whatever its status. Rejects when there is none: the world's failure. */
export type Send = (url: URL, body: Uint8Array, signal: AbortSignal) => Promise<Answer>

/** The whole exchange ends within this. */
const deadlineMs = 5_000
/** An answer is one small JSON object. */
const longestAnswer = 16 * 1024
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Address of an agent's endpoint.
 *
 * @throws Error with a sentence when it is none, carries credentials, or is plain http to another machine
 */
export function agentUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new Error(`"${text}" is no https address of an agent`)
  }
  if (url.username !== '' || url.password !== '') throw new Error(`${text}: an agent's address carries no credentials`)
  if (url.protocol === 'http:' && !loopback.test(url.hostname)) {
    throw new Error(
      `${text}: plain http may go to this machine only; write https, and name the CA of the agent's certificate`,
    )
  }
  return url
}

/**
 * Posts over HTTPS to whoever shows a certificate of `ca`, and over plain http to this machine only. Follows no redirect, takes
 * a short answer, and gives up after 5 s.
 *
 * @param ca  PEM; only certificates that it signed are taken. Absent: those that the machine trusts.
 */
export function httpsSender(ca?: string): Send {
  const secure: RequestOptions = ca === undefined ? {} : { ca }
  return (url, body, signal) => {
    const { protocol } = agentUrl(url.href)
    const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])
    return new Promise((resolve, reject) => {
      const options: RequestOptions = {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': body.length },
        signal: limit,
        agent: false,
        ...secure,
      }
      const request = (protocol === 'https:' ? secureRequest : plainRequest)(url, options, (response) => {
        const parts: Buffer[] = []
        let length = 0
        response.on('data', (part: Buffer) => {
          length += part.length
          if (length > longestAnswer)
            request.destroy(new Error(`the agent's answer is longer than ${longestAnswer} bytes`))
          else parts.push(part)
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
        )
        response.on('error', reject)
      })
      request.on('error', reject)
      request.end(body)
    })
  }
}
