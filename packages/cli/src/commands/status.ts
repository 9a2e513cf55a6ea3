import type { DeploymentRow } from '@interlock/console'
import { apiClient } from '../api-client.ts'
import type { Config } from '../config.ts'
import { exitCodes, Refused, UsageError } from '../errors.ts'
import { accountLine, type FleetAccount, fleetAccount } from '../fleet-budget.ts'
import type { Output } from '../output.ts'
import { attentionWord, clock, percent, shortVersion } from '../words.ts'
import { deadMan } from './dead-man.ts'

/** What needs a person first stands first. */
const urgency: readonly DeploymentRow['attention'][] = ['act-now', 'not-watched', 'watch', 'handled', 'healthy']

/** `interlock status`: every deployment, what needs a person first. Exit 1 when one needs a person now. */
export async function status(config: Config, out: Output): Promise<number> {
  const { data } = config
  const { body, evaluatedTo, missing } = await apiClient(data).get<readonly DeploymentRow[]>('/api/v1/deployments')
  const rows = body.toSorted(
    (a, b) => urgency.indexOf(a.attention) - urgency.indexOf(b.attention) || (a.deployment < b.deployment ? -1 : 1),
  )
  const lines = rows.map((row) => {
    const share =
      row.candidate === null
        ? ''
        : `  ${shortVersion(row.candidate)} at ${percent(row.share)}, stage ${row.stage ?? 'none'}`
    return `${attentionWord(row.attention)}  ${row.deployment}  serves ${shortVersion(row.stable)}${share}\n${[row.sentence, ...row.exceptions].map((text) => `    ${text}`).join('\n')}`
  })
  if (lines.length === 0)
    lines.push('No deployment is registered. Put a file into the deployments folder (docs/quickstart.md).')
  const warned = rows.flatMap(({ deployment, warning }) => (warning === null ? [] : [{ deployment, warning }]))
  if (warned.length > 0) lines.push('Early warning, what may come first stands first:')
  for (const { deployment, warning } of warned.toSorted((a, b) => a.warning.inMs - b.warning.inMs))
    lines.push(`  ${deployment}: ${warning.sentence}`)
  lines.push(evaluatedTo === null ? 'Nothing is evaluated yet.' : `evaluated up to ${clock(Date.parse(evaluatedTo))}`)
  if (missing.length > 0) lines.push(`missing: ${missing.join('; ')}`)
  const watched = await deadMan(config)
  if (watched !== null) lines.push(`dead-man's switch: ${watched.detail}`)
  const { watchers = {} } = watched ?? {}
  const fleet = budgetOf(config)
  if (fleet !== null) lines.push(`false-action budget: ${'unknown' in fleet ? fleet.unknown : accountLine(fleet)}`)
  out.result({ deployments: rows, evaluatedTo, missing, watchers, fleet }, lines.join('\n'))
  return body.some((row) => row.attention === 'act-now') ? exitCodes.breachOrRefused : exitCodes.good
}

/** In an emergency the status is told whatever is wrong with a file. */
function budgetOf(config: Config): FleetAccount | { readonly unknown: string } | null {
  try {
    return fleetAccount(config)
  } catch (error) {
    if (error instanceof Refused || error instanceof UsageError) return { unknown: `unknown (${error.message})` }
    throw error
  }
}
