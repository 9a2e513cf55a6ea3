import type { DeploymentPage, Why } from '@interlock/console'
import type { RankedCause } from '@interlock/contracts'
import { apiClient } from '../api-client.ts'
import { exitCodes } from '../errors.ts'
import type { Output } from '../output.ts'
import { attentionWord, clock, count, percent } from '../words.ts'

/**
 * `interlock why <deployment>`: the last decision that changed something, the evidence behind it, the counts behind that,
 * and the input records that were counted: three hops under one hash.
 */
export async function why(
  data: string,
  deployment: string,
  decision: string | undefined,
  out: Output,
): Promise<number> {
  const api = apiClient(data)
  const page = (await api.get<DeploymentPage>(`/api/v1/deployments/${encodeURIComponent(deployment)}`)).body
  const path =
    decision === undefined
      ? `/api/v1/deployments/${encodeURIComponent(deployment)}/why`
      : `/api/v1/why/${encodeURIComponent(decision)}`
  const { body } = await api.get<Why>(path)
  out.result({ state: page.state, why: body }, describe(page, body))
  return exitCodes.good
}

function describe({ state }: DeploymentPage, { decision, evidence, counts, ranges, sources }: Why): string {
  const lines = [`${attentionWord(state.attention)}  ${state.sentence}`]
  for (const [index, sentence] of state.blocked.entries()) lines.push(`  blocked ${index + 1}: ${sentence}`)
  lines.push('')
  lines.push(`${clock(decision.at)}  ${decision.text}`)
  lines.push(
    `  decision  ${decision.outcome} by ${decision.by}, rule ${decision.rule}, policy ${decision.policy.slice(0, 8)}`,
  )
  lines.push(
    `            hash ${decision.id}  (${sources.decision.topic}/${sources.decision.shard} offset ${sources.decision.offset})`,
  )
  if (evidence !== null && sources.evidence !== null) {
    const about = decision.guardrail
    const strength =
      about === null
        ? ''
        : `: ln e ${about.evidence.logE.harm.toFixed(1)} against a limit of ${about.limit.toFixed(1)} for ${about.guardrail}`
    lines.push(`  evidence  pane ${clock(evidence.pane)}${strength}`)
    lines.push(
      `            hash ${evidence.hash}  (${sources.evidence.topic}/${sources.evidence.shard} offset ${sources.evidence.offset})`,
    )
  }
  for (const [index, cause] of (decision.causes ?? []).entries())
    lines.push(`  ${index === 0 ? 'causes  ' : '        '}  ${index + 1}. ${causeWords(cause)}`)
  for (const { source, traffic, without } of decision.guardrail?.evidence.influence ?? [])
    lines.push(`  source    without "${source}" (${percent(traffic)} of the rows): ln e ${without.toFixed(1)} of harm`)
  if (counts !== null) {
    const events =
      counts.events.now + counts.events.reference > 0
        ? `, events ${count(counts.events.now)} and ${count(counts.events.reference)}`
        : ''
    lines.push(`  counts    ${count(counts.n)} rows against ${count(counts.m)}${events}`)
  }
  for (const range of ranges)
    lines.push(`  ranges    ${range.topic}/${range.partition} offsets ${range.from} to ${range.to}`)
  return lines.join('\n')
}

/** `airport "ATL": 83 % of the excess, with 4 % of the rows`; `feature "distance": 91 % of the evidence`. */
function causeWords({ dimension, value, of, share, traffic }: RankedCause): string {
  const name = `${dimension.replace(/^segment:/, '')} "${value}"${of === undefined ? '' : ` of ${of}`}`
  const isWhole = dimension === 'feature' || dimension === 'signal'
  const rows = traffic === undefined ? '' : `, with ${percent(traffic)} of the rows`
  return `${name}: ${percent(share)} of the ${isWhole ? 'evidence' : 'excess'}${rows}`
}
