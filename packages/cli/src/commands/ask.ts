import type { DeploymentPage } from '@interlock/console'
import type { DecisionOut, DeploymentId } from '@interlock/contracts'
import { type ApiClient, apiClient } from '../api-client.ts'
import type { Config } from '../config.ts'
import { exitCodes, Unavailable, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { requesterFor } from '../requester.ts'

export interface AskOptions {
  readonly reason: string
  readonly as: string
}

/** How long the governor may take to answer before the outcome counts as unknown. */
const answerMs = 20_000
const pollMs = 250

/**
 * `interlock hold|release|halt|restore <deployment>`: one person's signed request, and the decision that answers it. A restore
 * takes two of them, and is carried out once the ledger holds the second.
 */
export async function ask(
  config: Config,
  kind: 'hold' | 'release-hold' | 'halt' | 'restore',
  deployment: DeploymentId,
  { reason, as }: AskOptions,
  out: Output,
): Promise<number> {
  if (reason.trim() === '') throw new UsageError('--reason is empty: say why; it is recorded.')
  const api = apiClient(config.data)
  const id = await (await requesterFor(config, api, as)).submit(deployment, { kind, deployment, reason })
  const decision = await answerTo(api, deployment, id)
  out.result({ outcome: decision.outcome, text: decision.text, hash: decision.id }, decision.text)
  return decision.outcome === 'refused' ? exitCodes.breachOrRefused : exitCodes.good
}

/** The decision that names the request. */
async function answerTo(api: ApiClient, deployment: DeploymentId, request: string): Promise<DecisionOut> {
  const end = Date.now() + answerMs
  while (Date.now() < end) {
    const { body } = await api.get<DeploymentPage>(`/api/v1/deployments/${encodeURIComponent(deployment)}`)
    const found = body.decisions.find((decision) => decision.request === request)
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  throw new Unavailable(
    `Not known what came of it: no decision within ${answerMs / 1000} s. \`interlock status\` shows where it stands.`,
  )
}
