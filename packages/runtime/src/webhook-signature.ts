import { createHmac } from 'node:crypto'

/**
 * Headers of a message by the Standard Webhooks specification (standardwebhooks.com): id, timestamp and
 * `v1,<base64 HMAC-SHA-256 over id.timestamp.body>`. A receiver checks them with the shared secret alone and drops what it has
 * seen by the id.
 *
 * @param timestamp seconds since 1970
 */
export function webhookHeaders(
  secret: Uint8Array,
  id: string,
  timestamp: string,
  body: string,
): Readonly<Record<string, string>> {
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signWebhook(secret, id, timestamp, body)}`,
  }
}

/** Base64 HMAC-SHA256 over `id.timestamp.body`, as receivers recompute it. */
export function signWebhook(secret: Uint8Array, id: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
}
