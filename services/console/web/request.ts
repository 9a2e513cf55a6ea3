import type { Envelope, OperatorRequest, Recorded } from '../src/api.ts'

/** The server answered, and the answer is no. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly status: number
  readonly requestId: string
  constructor(status: number, detail: string, requestId: string) {
    super(detail)
    this.status = status
    this.requestId = requestId
  }
}

const answerMs = 10_000

async function call(path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(path, {
    ...init,
    headers: { 'x-interlock': '1', ...init.headers },
    signal: AbortSignal.timeout(answerMs),
  })
  const text = await response.text()
  if (response.ok) return text === '' ? null : JSON.parse(text)
  let detail = `${path} answered ${response.status}`
  let requestId = ''
  try {
    const problem = JSON.parse(text) as { detail?: string; instance?: string }
    detail = problem.detail ?? detail
    requestId = problem.instance ?? ''
  } catch {
    // Not one of our answers: the status says all that is known.
  }
  throw new Refused(response.status, detail, requestId)
}

export async function get<Body>(path: string): Promise<Envelope<Body>> {
  return (await call(path)) as Envelope<Body>
}

/** Sends a wish under a key: a retry with the same key is recorded once. */
export async function ask(request: OperatorRequest, key: string): Promise<Recorded> {
  return (await call('/api/v1/requests', {
    method: 'POST',
    body: JSON.stringify(request),
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
  })) as Recorded
}

/** Whether this Interlock plays the demo, and whether it can tell of dead letters. */
export interface PageFacts {
  readonly demo: boolean
  readonly letters: boolean
}

export async function pageFacts(): Promise<PageFacts> {
  return (await call('/page.json')) as PageFacts
}

/** Exchanges the token of the link for a cookie, and takes it out of the address and the history. */
export async function signIn(): Promise<void> {
  const token = /^#t=(.+)$/.exec(location.hash)?.[1]
  if (token === undefined) return
  history.replaceState(null, '', location.pathname + location.search)
  await call('/api/v1/session', {
    method: 'POST',
    body: JSON.stringify({ token: decodeURIComponent(token) }),
    headers: { 'content-type': 'application/json' },
  })
}
