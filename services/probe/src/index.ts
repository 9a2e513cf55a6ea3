export { digestOf, probeAgent, probeDocument, probePeople, probeStable } from './documents.ts'
export type { Probe, ProbeOptions, ProbeSubmit } from './main.ts'
export { createProbe } from './main.ts'
