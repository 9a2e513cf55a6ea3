import type { Shadow } from '@interlock/console'
import type { DisagreementOut } from '@interlock/contracts'
import { apiClient } from '../api-client.ts'
import { exitCodes, Refused } from '../errors.ts'
import type { Output } from '../output.ts'
import { clock, count } from '../words.ts'

/** `interlock policy shadow <deployment>`: what the policy on trial would have done otherwise; exit 1 where none was on trial. */
export async function policyShadow(data: string, deployment: string, out: Output): Promise<number> {
  const { body } = await apiClient(data).get<Shadow>(`/api/v1/deployments/${encodeURIComponent(deployment)}/shadow`)
  if (body.onTrial === null && body.disagreements.length === 0) {
    throw new Refused(
      `No policy is on trial for ${deployment}. \`interlock rollout start … --shadow-policy <file>\` puts one beside the policy of a rollout.`,
    )
  }
  out.result({ deployment, ...body, ...summaryOf(body.disagreements) }, describeShadow(deployment, body))
  return exitCodes.good
}

/** Generations with a disagreement, the time of the first, and the largest difference in time. */
function summaryOf(disagreements: readonly DisagreementOut[]) {
  const delays = disagreements.flatMap(({ by, afterMs }) => (afterMs === null ? [] : [{ by, afterMs }]))
  return {
    count: disagreements.length,
    first: disagreements.at(-1)?.at ?? null,
    largest: delays.toSorted((a, b) => b.afterMs - a.afterMs)[0] ?? null,
  }
}

export function describeShadow(deployment: string, { onTrial, inForce, disagreements }: Shadow): string {
  const head =
    onTrial === null
      ? `${deployment}: no policy is on trial now.`
      : `${deployment}: "${onTrial.name}" (${onTrial.policy.slice(0, 8)}) is on trial since ${clock(onTrial.since)} beside "${inForce?.name}" (${inForce?.policy.slice(0, 8)}).`
  const silent = onTrial?.silent ?? []
  const waiting =
    silent.length === 0
      ? []
      : [
          `Not enough data yet for ${silent.map((id) => `"${id}"`).join(', ')}: of ${silent.length === 1 ? 'it' : 'them'} nothing is known.`,
        ]
  const { first, largest } = summaryOf(disagreements)
  if (first === null) return [head, ...waiting, 'The two have not disagreed so far.'].join('\n')
  const apart =
    largest === null
      ? ''
      : ` Where both asked for the same, ${largest.by === 'shadow' ? 'the one on trial' : 'the one in force'} came up to ${count(largest.afterMs / 1_000)} s later.`
  const lines = disagreements
    .toReversed()
    .map(({ at, generation, rule, text }) => `${clock(at)}  generation ${generation}, rule ${rule}: ${text}`)
  const times = disagreements.length === 1 ? 'once' : `${count(disagreements.length)} times`
  return [head, ...waiting, `They disagreed ${times}, first at ${clock(first)}.${apart}`, ...lines].join('\n')
}
