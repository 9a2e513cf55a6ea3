import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import type { DeploymentPage, Recorded, RollbackPlan } from '@interlock/console'
import type { DecisionOut } from '@interlock/contracts'
import { type ApiClient, apiClient } from '../api-client.ts'
import { exitCodes, Refused, Unavailable, UsageError } from '../errors.ts'
import type { Output } from '../output.ts'
import { clock, percent, shortVersion } from '../words.ts'

export interface RollbackOptions {
  readonly reason?: string
  readonly yes: boolean
  readonly timeoutMs: number
}

/** `interlock rollback <deployment>`: shows the plan, asks once, and watches until the rollback is verified. */
export async function rollback(
  data: string,
  deployment: string,
  options: RollbackOptions,
  out: Output,
): Promise<number> {
  const api = apiClient(data)
  const base = `/api/v1/deployments/${encodeURIComponent(deployment)}`
  const { body: plan } = await api.get<RollbackPlan>(`${base}/rollback-plan`)
  if (!plan.possible.ok) throw new Refused(plan.possible.sentence)
  const ready = plan.ready.map(
    (check) => `${check.state === 'ok' ? '✓' : check.state === 'failed' ? '✗' : '?'} ${check.name}`,
  )
  out.say(
    `${shortVersion(plan.from)} -> ${shortVersion(plan.to)}  share ${percent(plan.share)}  ready ${ready.join(' ')}`,
  )
  out.say(`${plan.help.sentence}  ${plan.undo}`)
  const reason = await confirmed(plan, options)
  const id = randomUUID()
  const before = (await api.get<DeploymentPage>(base)).body.decisions[0]?.sequence ?? -1
  const recorded = (await api.post(
    '/api/v1/requests',
    { kind: 'rollback', deployment, reason },
    { 'idempotency-key': id },
  )) as Recorded
  out.event({ event: 'recorded', ...recorded }, `recorded at offset ${recorded.offset}`)
  return watch(api, base, before, options.timeoutMs, out)
}

async function confirmed(plan: RollbackPlan, { reason, yes }: RollbackOptions): Promise<string> {
  if (yes) {
    if (reason === undefined)
      throw new UsageError('--yes needs --reason "…": every rollback is recorded with its reason.')
    return reason
  }
  if (!process.stdin.isTTY) throw new UsageError('There is no terminal to ask on. Say --yes --reason "…".')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const typed = reason ?? (await terminal.question(`Reason [${plan.reason}]: `))
    const answer = await terminal.question(`Roll back to ${shortVersion(plan.to)} now? [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new Refused('Nothing was changed.')
    return typed.trim() === '' ? plan.reason : typed.trim()
  } finally {
    terminal.close()
  }
}

async function watch(api: ApiClient, base: string, since: number, timeoutMs: number, out: Output): Promise<number> {
  const end = Date.now() + timeoutMs
  let told = since
  let step = ''
  while (Date.now() < end) {
    const { body } = await api.get<DeploymentPage>(base)
    for (const decision of body.decisions.filter((one) => one.sequence > told).toReversed()) {
      told = decision.sequence
      out.event({ event: 'decision', ...summary(decision) }, `${clock(decision.at)}  ${decision.text}`)
      if (decision.outcome === 'refused') throw new Refused(decision.text)
      if (decision.outcome === 'verified') return exitCodes.good
      if (decision.outcome === 'escalated') return exitCodes.breachOrRefused
    }
    const command = body.state.command
    if (command !== null && command.state !== step) {
      step = command.state
      out.event({ event: step, order: command.order }, step)
    }
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Unavailable(
    `Not known whether it is done: no verification within ${timeoutMs / 1000} s. \`interlock status\` shows where it stands.`,
  )
}

function summary(decision: DecisionOut): Record<string, unknown> {
  return { outcome: decision.outcome, text: decision.text, hash: decision.id, at: decision.at }
}
