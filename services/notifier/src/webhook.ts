import { webhookHeaders } from '@interlock/runtime'
import type { Sink } from './sink.ts'

/** A receiver that has not answered within this time has not taken the message. */
const webhookTimeoutMs = 5_000

export interface WebhookOptions {
  readonly url: string
  /** Shared secret of this receiver; the signature is HMAC-SHA256 over `id.timestamp.body`. */
  readonly secret: Uint8Array
  /** Hosts that webhooks may call. Anything else is refused, so a mistyped or hostile address reaches nothing. */
  readonly allowHosts: readonly string[]
  /** Seconds since 1970, for the timestamp that receivers use against replay. */
  readonly nowSeconds: () => number
}

/**
 * Posts alerts as JSON with the headers of the Standard Webhooks specification (webhook-id, webhook-timestamp,
 * webhook-signature: `v1,<base64>`). Redirects are not followed.
 *
 * @throws Error at once when the address is not http(s) or its host is not on the allow-list.
 */
export function webhookSink(options: WebhookOptions): Sink {
  const url = new URL(options.url)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Error(`webhook ${options.url}: only http and https can be called, not ${url.protocol}`)
  }
  if (!options.allowHosts.includes(url.host)) {
    throw new Error(
      `webhook ${options.url}: host "${url.host}" is not on the allow-list. Add it to notifier.allowHosts in interlock.yaml if it is yours.`,
    )
  }
  return {
    name: `webhook ${url.host}`,
    async deliver(message) {
      const body = JSON.stringify(message)
      const timestamp = String(options.nowSeconds())
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'error',
        signal: AbortSignal.timeout(webhookTimeoutMs),
        headers: {
          'content-type': 'application/json',
          ...webhookHeaders(options.secret, message.id, timestamp, body),
        },
        body,
      })
      await response.body?.cancel()
      if (!response.ok) throw new Error(`${url.host} answered ${response.status}`)
    },
  }
}
