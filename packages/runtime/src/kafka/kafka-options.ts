import type { ConnectionOptions } from 'node:tls'
import type { KafkaConfig, SASLOptions } from 'kafkajs'
import type { Logger } from 'pino'
import { type InternalLogger, kafkajs } from './kafkajs-internals.ts'

/** How to reach a cluster. */
export interface KafkaConnection {
  /** Each `host:port`; any that answers tells of the others. */
  readonly brokers: readonly string[]
  /** Names this process in the brokers' logs and quotas. */
  readonly clientId: string
  /** true: TLS by the system's certificates. */
  readonly ssl?: boolean | ConnectionOptions
  readonly sasl?: KafkaSasl
  /** Hears the client's own complaints, at level debug. */
  readonly logger?: Logger
}

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | { readonly mechanism: 'oauthbearer'; readonly oauthBearerProvider: () => Promise<{ readonly value: string }> }

/** Kafka's clients wait 30 s by default; a broker that hangs must be noticed sooner (docs/reliability.md, "Unknown."). */
export const requestTimeoutMs = 3_000
export const connectionTimeoutMs = 1_000

export const silentOr = (logger: Logger | undefined): InternalLogger => {
  const say = (message: string, extra?: object) => logger?.debug({ kafkajs: extra }, message)
  const internal: InternalLogger = { namespace: () => internal, info: say, error: say, warn: say, debug: () => {} }
  return internal
}

/** The same for KafkaJS's own clients: administration and group membership. */
export function kafkaConfig({ brokers, clientId, ssl, sasl, logger }: KafkaConnection): KafkaConfig {
  const log = silentOr(logger)
  return {
    brokers: [...brokers],
    clientId,
    ssl: ssl ?? false,
    // A copy: KafkaJS keeps the authenticator that it makes in the caller's object.
    ...(sasl ? { sasl: { ...sasl } as SASLOptions } : {}),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    logLevel: kafkajs().logLevel.INFO,
    logCreator:
      () =>
      ({ log: { message, ...extra } }) =>
        log.info(message, extra),
  }
}
