import { type GapCause, type GuardedMinutes, gapWords, watchedPart } from '@interlock/console'
import { apiClient } from '../api-client.ts'
import { exitCodes } from '../errors.ts'
import type { Output } from '../output.ts'
import { clock } from '../words.ts'

/** Gaps of a version that are listed one by one. */
const listed = 10

/** `interlock guarded <deployment>`: the share of its serving time that each version was really watched. */
export async function guarded(
  data: string,
  deployment: string,
  since: number | undefined,
  out: Output,
): Promise<number> {
  const query = since === undefined ? '' : `?since=${since}`
  const { body } = await apiClient(data).get<GuardedMinutes>(
    `/api/v1/deployments/${encodeURIComponent(deployment)}/guarded${query}`,
  )
  out.result({ deployment, ...body }, describe(deployment, body))
  return exitCodes.good
}

function describe(deployment: string, { from, to, versions }: GuardedMinutes): string {
  if (versions.length === 0) return `${deployment}: nothing served in this time, or nothing is known of it.`
  const lines = [`${deployment}, ${clock(from)} to ${clock(to)}`]
  for (const { version, servingMs, watchedMs, causes, gaps, gapsTotal } of versions) {
    const sums = Object.entries(causes).map(([cause, ms]) => `${span(ms)} ${gapWords[cause as GapCause]}`)
    lines.push(
      `${version}: watched ${watchedPart(watchedMs, servingMs)} of ${span(servingMs)}${sums.length === 0 ? '; no gap' : `; gaps: ${sums.join(', ')}`}`,
    )
    for (const gap of gaps.slice(0, listed)) {
      lines.push(`  ${clock(gap.from)} to ${clock(gap.to)}  ${span(gap.to - gap.from)}  ${gapWords[gap.cause]}`)
    }
    if (gapsTotal > listed) lines.push(`  and ${gapsTotal - Math.min(listed, gaps.length)} earlier gaps`)
  }
  return lines.join('\n')
}

function span(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`
}
