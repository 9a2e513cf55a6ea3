import type { Region } from './regions.ts'

/** Faults of a version: they live in v2's feature code or in how v2 serves. Switched on in the router. */
export const versionFaults = ['unit', 'segment', 'missing', 'latency'] as const

/** Every fault that `--fault` takes. `source` is in the traffic, ahead of both versions. */
export const faultNames = [...versionFaults, 'source', 'none'] as const

/** A fault of v2, injected in the router. */
export type VersionFault = (typeof versionFaults)[number]

/** Any fault, `none` included. */
export type FaultName = (typeof faultNames)[number]

/** What each fault is, in one sentence, for help texts and the demo's story. */
export const faultSentences: Readonly<Record<FaultName, string>> = {
  unit: "v2's own feature code takes kilometres for miles",
  segment: 'v2 fails on 40 % of the requests of one airport, ORD',
  missing: "v2's feature code loses the origin's delay rate on 20 % of the rows",
  latency: 'v2 takes three times as long for 30 % of its answers',
  source: 'one producer, the clients of one region, sends distances in kilometres to both versions',
  none: 'nothing is wrong',
}

/** How strong each fault is. */
export const faultSize = {
  segment: { airport: 'ORD', share: 0.4 },
  missing: { share: 0.2 },
  latency: { share: 0.3, factor: 3 },
} as const

/** The region whose client sends kilometres under `source`. */
export const faultySource: Region = 'southeast'

/** Share of requests on which either version fails though nothing is wrong. */
export const healthyErrorShare = 0.001

/** Whether a word names a fault. */
export function isFaultName(word: string): word is FaultName {
  return (faultNames as readonly string[]).includes(word)
}

/** Whether a word names a fault that the router can switch on. */
export function isVersionFault(word: string): word is VersionFault {
  return (versionFaults as readonly string[]).includes(word)
}
