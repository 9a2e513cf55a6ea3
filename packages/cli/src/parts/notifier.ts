import { join } from 'node:path'
import { type AgentId, type Signer, signFact, topics } from '@interlock/contracts'
import { logSink, runNotifier, type Sink, webhookSink } from '@interlock/notifier'
import { notifierHolder } from './keys.ts'
import { fromEnvironment } from './platforms.ts'
import type { Part, Wiring } from './wiring.ts'

/** Delivers alerts to the log and to the webhooks of the configuration. */
export function notifierPart({ config, log, clock, logger }: Wiring, keys: { readonly notifier: Signer }): Part {
  const own = logger.child({ service: 'notifier' })
  const sinks: Sink[] = [
    logSink((message) => own.info({ alert: message }, message.sentence)),
    ...config.notifier.webhooks.map(({ url, secretEnv }) =>
      webhookSink({
        url,
        secret: Buffer.from(fromEnvironment(secretEnv, `the webhook ${url}`)),
        allowHosts: config.notifier.allowHosts,
        nowSeconds: () => Math.floor(clock.now() / 1000),
      }),
    ),
  ]
  return (signal) =>
    runNotifier(
      {
        log,
        topics,
        clock,
        environment: config.environment,
        holder: notifierHolder as AgentId,
        sinks,
        sign: (fact) => signFact(fact, keys.notifier),
        positions: join(config.data, 'notifier-positions.json'),
        tell: (message, details) => own.warn(details, message),
      },
      signal,
    )
}
