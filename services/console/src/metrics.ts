import type { Attention } from '@interlock/contracts'
import { rowOf } from './deployment-page.ts'
import { evaluatedTo, type Projection } from './projection.ts'

export interface Measured {
  readonly projections: ReadonlyMap<string, Projection>
  readonly outs: ReadonlyMap<string, number>
  readonly requests: { readonly recorded: number; readonly failed: number }
  readonly streams: number
}

const attentions: readonly Attention[] = ['act-now', 'not-watched', 'watch', 'handled', 'healthy']

/** Prometheus text, version 0.0.4. No deployment is named: whoever reads it need not hold the token. */
export function metricsText({ projections, outs, requests, streams }: Measured, now: number): string {
  const rows = [...projections.values()].map((projection) => rowOf(projection, now)).filter((row) => row !== null)
  const ages = [...projections.values()].map(evaluatedTo).filter((end) => end !== null)
  return [
    ...metric('interlock_console_deployments', 'gauge', 'Deployments by the attention that they ask for', [
      ...attentions.map(
        (one): Sample => [{ attention: one }, rows.filter(({ attention }) => attention === one).length],
      ),
    ]),
    ...metric(
      'interlock_console_evaluation_age_seconds',
      'gauge',
      'Age of the oldest last evaluation of any deployment',
      ages.length === 0 ? [] : [[{}, Math.max(0, (now - Math.min(...ages)) / 1_000)]],
    ),
    ...metric('interlock_console_outs_total', 'counter', 'Outs taken from the shard logs, by kind', [
      ...[...outs].map(([kind, count]): Sample => [{ kind }, count]),
    ]),
    ...metric('interlock_console_requests_total', 'counter', 'Requests of people, by whether the log confirmed them', [
      [{ outcome: 'recorded' }, requests.recorded],
      [{ outcome: 'failed' }, requests.failed],
    ]),
    ...metric('interlock_console_streams', 'gauge', 'Open event streams', [[{}, streams]]),
    '',
  ].join('\n')
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

function metric(name: string, type: string, help: string, samples: readonly Sample[]): readonly string[] {
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([labels, value]) => {
      const text = Object.entries(labels).map(([label, of]) => `${label}="${of}"`)
      return `${name}${text.length === 0 ? '' : `{${text.join(',')}}`} ${value}`
    }),
  ]
}
