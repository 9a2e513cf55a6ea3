import type { DecisionOut, EvidenceOut } from '@interlock/contracts'
import { documentOf } from '../process/interlock.ts'
import type { WatchedDeployment } from '../process/watched-deployment.ts'

/** What `interlock why --json` says of one decision: docs/cli.md. */
export interface WhyDocument {
  readonly decision: DecisionOut
  readonly evidence: EvidenceOut | null
  readonly counts: {
    readonly n: number
    readonly m: number
    readonly events: { readonly now: number; readonly reference: number }
  } | null
  readonly ranges: readonly {
    readonly topic: string
    readonly partition: number
    readonly from: string
    readonly to: string
  }[]
  readonly sources: {
    readonly decision: { readonly topic: string; readonly offset: string }
    readonly evidence: { readonly topic: string; readonly offset: string } | null
  }
}

/** @throws Error with what it said instead */
export async function whyOf(toy: WatchedDeployment, ...more: readonly string[]): Promise<WhyDocument> {
  const ran = await toy.cli('why', 'toy', '--json', ...more)
  if (ran.code !== 0) throw new Error(`why ended with ${ran.code}: ${ran.stderr}`)
  return documentOf(ran).why as WhyDocument
}
