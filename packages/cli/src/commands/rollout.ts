import type { DeploymentPage } from '@interlock/console'
import type { DecisionOut, DeploymentId, PersonId } from '@interlock/contracts'
import { type ApiClient, apiClient } from '../api-client.ts'
import type { Config } from '../config.ts'
import { readPolicy, readRelease } from '../documents.ts'
import { exitCodes, Unavailable, UsageError } from '../errors.ts'
import { fleetAccount, refuseOverspent } from '../fleet-budget.ts'
import type { Output } from '../output.ts'
import { requesterFor } from '../requester.ts'
import { clock, count, percent, shortVersion, verdictMark } from '../words.ts'

export interface StartOptions {
  readonly manifest: string
  readonly baseline: string
  readonly policy: string
  readonly shadowPolicy?: string
  readonly as: string
}

/** How long the governor may take to answer a request before the outcome counts as unknown. */
const answerMs = 20_000
const pollMs = 250

/**
 * `interlock rollout start <deployment>`: sends manifest, baseline and policy, and asks for the rollout. An unapproved
 * policy is refused by the governor, with the command that a second person runs. A policy on trial needs no approval, for it
 * never acts.
 */
export async function rolloutStart(
  config: Config,
  deployment: DeploymentId,
  options: StartOptions,
  out: Output,
): Promise<number> {
  const api = apiClient(config.data)
  const person = options.as as PersonId
  const { manifest, baseline } = readRelease(options)
  const policy = readPolicy(options.policy, person, baseline.document.spec)
  const shadow =
    options.shadowPolicy === undefined ? [] : [readPolicy(options.shadowPolicy, person, baseline.document.spec)]
  const instead = new Map([[deployment, policy.document.policy]])
  refuseOverspent(fleetAccount(config, instead), deployment)
  const before = await lastSequence(api, deployment)
  const requester = await requesterFor(config, api, options.as)
  for (const { document } of [manifest, baseline, policy, ...shadow])
    await requester.submit(deployment, { kind: 'document', document })
  await requester.submit(deployment, {
    kind: 'rollout',
    deployment,
    candidate: manifest.document.version,
    manifest: manifest.hash,
    policy: policy.hash,
    ...(shadow[0] === undefined ? {} : { shadow: shadow[0].hash }),
  })
  const decision = await nextDecision(
    api,
    deployment,
    before,
    (one) => one.outcome === 'rollout-started' || one.outcome === 'refused',
  )
  out.result({ outcome: decision.outcome, text: decision.text, hash: decision.id, policy: policy.hash }, decision.text)
  if (decision.outcome === 'refused') {
    out.say(
      `The policy's hash is ${policy.hash}. If it is not approved yet, a second person runs:\n  interlock approve ${deployment} ${policy.hash} --as ${approverOf(config, options.as)}`,
    )
    return exitCodes.breachOrRefused
  }
  return exitCodes.good
}

/** Somebody else who may approve a policy, for the hint. */
function approverOf(config: Config, author: string): string {
  return config.people.find(({ id, may }) => id !== author && may.includes('policy-approver'))?.id ?? '<another person>'
}

/** `interlock approve <deployment> <hash>`: a second person approves exactly these bytes. */
export async function approve(
  config: Config,
  deployment: DeploymentId,
  object: string,
  as: string,
  comment: string,
  out: Output,
): Promise<number> {
  if (!/^[0-9a-f]{64}$/.test(object))
    throw new UsageError(`"${object}" is no document's hash (64 hex digits). \`interlock rollout start\` prints it.`)
  const api = apiClient(config.data)
  const before = await lastSequence(api, deployment)
  const requester = await requesterFor(config, api, as)
  await requester.submit(deployment, { kind: 'approve', deployment, object: object as DecisionOut['id'], comment })
  const decision = await nextDecision(
    api,
    deployment,
    before,
    (one) => one.outcome === 'approved' || one.outcome === 'refused',
  )
  out.result({ outcome: decision.outcome, text: decision.text, hash: decision.id }, decision.text)
  return decision.outcome === 'approved' ? exitCodes.good : exitCodes.breachOrRefused
}

/** `interlock rollout watch <deployment>`: a line a change, until the rollout has ended. */
export async function rolloutWatch(
  data: string,
  deployment: DeploymentId,
  timeoutMs: number,
  out: Output,
): Promise<number> {
  const api = apiClient(data)
  const end = Date.now() + timeoutMs
  let told = -1
  let head = ''
  while (Date.now() < end) {
    const page = await pageOf(api, deployment)
    if (told < 0) told = Math.max(0, (page.decisions[0]?.sequence ?? 0) - 1)
    const line = headline(page)
    if (line !== head) {
      head = line
      out.event(
        { event: 'state', view: page.state.view, blocked: page.state.blocked, verdicts: page.state.verdicts },
        [line, ...verdicts(page)].join('\n'),
      )
    }
    for (const decision of page.decisions.filter((one) => one.sequence > told).toReversed()) {
      told = decision.sequence
      out.event(
        { event: decision.outcome, text: decision.text, hash: decision.id, at: decision.at },
        `${clock(decision.at)}  ${decision.text}`,
      )
    }
    const { phase } = page.state.view
    const settled = page.state.command === null || page.state.command.state === 'verified'
    if (phase === 'steady' && settled) return exitCodes.good
    if ((phase === 'rolled-back' || phase === 'halted' || phase === 'fallen-back') && settled)
      return exitCodes.breachOrRefused
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  throw new Unavailable(
    `The rollout of ${deployment} has not ended within ${timeoutMs / 1000} s; it goes on. \`interlock status\` shows it.`,
  )
}

function headline({ state }: DeploymentPage): string {
  const { view } = state
  return `gen ${view.generation}  ${shortVersion(view.stable)} -> ${shortVersion(view.candidate)}  stage ${view.stage ?? 'none'}  ${percent(view.share)}  ${state.sentence}`
}

function verdicts({ state, evidence }: DeploymentPage): string[] {
  return state.verdicts.map((one) => {
    const about = evidence?.guardrails.find(
      ({ guardrail, version }) => guardrail === one.guardrail && version === one.version,
    )
    const rows = about === undefined ? '' : `  n ${count(about.evidence.n)}`
    return `  ${verdictMark(one.verdict)} ${one.guardrail} (${shortVersion(one.version)}): ${one.sentence}${rows}`
  })
}

async function pageOf(api: ApiClient, deployment: DeploymentId): Promise<DeploymentPage> {
  return (await api.get<DeploymentPage>(`/api/v1/deployments/${encodeURIComponent(deployment)}`)).body
}

async function lastSequence(api: ApiClient, deployment: DeploymentId): Promise<number> {
  return (await pageOf(api, deployment)).decisions[0]?.sequence ?? -1
}

async function nextDecision(
  api: ApiClient,
  deployment: DeploymentId,
  since: number,
  wanted: (decision: DecisionOut) => boolean,
): Promise<DecisionOut> {
  const end = Date.now() + answerMs
  while (Date.now() < end) {
    const found = (await pageOf(api, deployment)).decisions.findLast((one) => one.sequence > since && wanted(one))
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  throw new Unavailable(
    `Not known what came of it: no decision within ${answerMs / 1000} s. \`interlock status\` shows where it stands.`,
  )
}
