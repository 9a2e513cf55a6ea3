import { Chance } from './streams.ts'

/** Kinds of fault, each with the rows of docs/reliability.md §4 that it exercises. */
export const faultKinds = {
  kill: 'F1 F4 F5 F6',
  pause: 'F2 F30',
  appends: 'F3',
  term: 'F7',
  rebalance: 'F8',
  'two agents': 'F9',
  platform: 'F9',
  'disk full': 'F28',
  duplicates: 'F10',
  reorder: 'F10',
  times: 'F11',
  clocks: 'F12',
  outage: 'F13',
  network: 'F14',
  'agent cut off': 'F15',
  hostile: 'F18 F32',
  numbers: 'F19',
  silence: 'F21',
  backlog: 'F22',
  'same moment': 'F23',
  forged: 'F24',
  'unknown order': 'F25',
  damaged: 'F26',
  policy: 'F27 S10',
  upgrade: 'F31',
  retention: 'F13',
  pager: 'F30 F5',
  keys: 'F24',
} as const satisfies Readonly<Record<string, string>>
export type FaultKind = keyof typeof faultKinds
export const allFaults = Object.keys(faultKinds) as readonly FaultKind[]

/** Which kinds a seed has: one in ten is calm, one in ten has everything, the others a handful. */
export function faultsOf(seed: number): readonly FaultKind[] {
  const chance = new Chance(seed, 'kinds')
  const dice = chance.random()
  if (dice < 0.08) return []
  if (dice < 0.16) return allFaults.filter((kind) => kind !== 'two agents' && kind !== 'unknown order')
  const left = [...allFaults]
  return Array.from({ length: 2 + chance.below(5) }, () => left.splice(chance.below(left.length), 1)[0]!).sort()
}
