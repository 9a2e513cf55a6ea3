import type { Changed } from '../src/projection.ts'

export type Connection = 'connecting' | 'live' | 'polling'

const pollMs = 10_000
const reopenMs = 3_000
/** The server is heard each 5 s; a stream that was silent for so long is dead, even where no error says so. */
const silentMs = 16_000

interface Reader {
  /** Something of the topics changed, or, with null, everything must be loaded afresh. */
  onChange(changed: readonly Changed[] | null): void
  onConnection(connection: Connection): void
}

/** Follows topics by server-sent events; without a stream it asks for everything each 10 s. @returns how to stop */
export function follow(topics: readonly string[], { onChange, onConnection }: Reader): () => void {
  let source: EventSource | null = null
  let reopen: ReturnType<typeof setTimeout> | undefined
  let heard = Date.now()
  let isLive = false
  const set = (live: boolean): void => {
    isLive = live
    onConnection(live ? 'live' : 'polling')
  }
  const open = (): void => {
    source?.close()
    source = new EventSource(`/api/v1/stream?topics=${topics.map(encodeURIComponent).join(',')}`)
    source.addEventListener('open', () => {
      heard = Date.now()
      set(true)
      // What changed while there was no stream is in no event of this one.
      onChange(null)
    })
    source.addEventListener('change', (event) => {
      heard = Date.now()
      onChange((JSON.parse((event as MessageEvent<string>).data) as { changed: readonly Changed[] }).changed)
    })
    source.addEventListener('error', () => {
      set(false)
      // A stream that the server refused (its cursor is too old) is not opened again by the browser.
      if (source?.readyState !== EventSource.CLOSED) return
      clearTimeout(reopen)
      reopen = setTimeout(open, reopenMs)
    })
  }
  const poll = setInterval(() => {
    if (!isLive) onChange(null)
    else if (Date.now() - heard > silentMs) {
      set(false)
      open()
    }
  }, pollMs)
  // The first load waits for no stream, which may be refused or never come.
  onChange(null)
  open()
  return () => {
    clearInterval(poll)
    clearTimeout(reopen)
    source?.close()
  }
}
