import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from './problem.ts'

/** A session in the browser ends after so long; the link with the token opens a new one. */
export const sessionMs = 12 * 60 * 60_000

/** Who asks: a program with the token, or a browser that exchanged it. */
export type Principal = 'bearer' | 'session'

/**
 * Who may use the API: holders of the local token, in `authorization: Bearer` or, once exchanged, in a cookie that no
 * script can read. Stateless: a cookie is its end and an HMAC over it, and dies with the token.
 */
export class Access {
  readonly #token: string
  readonly #now: () => number

  /** @throws RangeError for a token that could be guessed */
  constructor(token: string, now: () => number) {
    if (token.length < 16) throw new RangeError('the local token has fewer than 16 characters: it could be guessed')
    this.#token = token
    this.#now = now
  }

  principalOf(headers: IncomingHttpHeaders, port: number): Principal | null {
    const bearer = /^Bearer (\S{1,512})$/i.exec(headers.authorization ?? '')?.[1]
    if (bearer !== undefined) return this.isToken(bearer) ? 'bearer' : null
    const cookie = cookieOf(headers.cookie, cookieName(port))
    return cookie !== null && this.#isSession(cookie) ? 'session' : null
  }

  isToken(text: string): boolean {
    return areEqual(text, this.#token)
  }

  /** Value of `set-cookie`. The port is in its name: browsers send a host's cookies to each of its ports. */
  sessionCookie(port: number): string {
    const end = String(this.#now() + sessionMs)
    const seconds = Math.floor(sessionMs / 1_000)
    return `${cookieName(port)}=${end}.${this.#sealOf(end)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`
  }

  #isSession(cookie: string): boolean {
    const [end = '', seal = ''] = cookie.split('.')
    return /^\d{1,16}$/.test(end) && areEqual(seal, this.#sealOf(end)) && Number(end) > this.#now()
  }

  #sealOf(end: string): string {
    return createHmac('sha256', this.#token).update(`interlock session until ${end}`).digest('hex')
  }
}

/** Names by which the console may be called. Any other host is a page that had its name resolved to this machine. */
export function assertOwnHost(headers: IncomingHttpHeaders, port: number): void {
  const own = ownHosts(port)
  if (!own.includes(headers.host ?? '')) {
    throw new Problem(421, 'Wrong host', `This console answers as ${own.join(' or ')} only, not as "${headers.host}".`)
  }
}

/** A write must come from our own page or a program: never from another site's page with this browser's cookie. */
export function assertOwnOrigin(headers: IncomingHttpHeaders, port: number): void {
  if (headers['x-interlock'] !== '1') {
    throw new Problem(403, 'Not from here', 'A write needs the header "x-interlock: 1", which no other site can send.')
  }
  const { origin } = headers
  const isForeign = origin !== undefined && !ownHosts(port).some((host) => origin === `http://${host}`)
  if (isForeign || (headers['sec-fetch-site'] ?? 'none') === 'cross-site') {
    throw new Problem(403, 'Not from here', `A write from the origin "${origin}" is refused: it is another site.`)
  }
}

function ownHosts(port: number): readonly string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`]
}

function cookieName(port: number): string {
  return `interlock-${port}`
}

function cookieOf(header: string | undefined, name: string): string | null {
  for (const part of (header ?? '').slice(0, 8_192).split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name && value !== undefined) return value
  }
  return null
}

/** In a time that says nothing about where the two differ, nor how long the secret is. */
function areEqual(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
