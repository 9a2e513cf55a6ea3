import { unreachable } from '@interlock/contracts'
import type { Random } from '@interlock/runtime'
import type { Toxic } from './toxiproxy.ts'

/** What happens to a running Interlock. A process is named by its place in the cast. */
export type Fault =
  /** kill -9, and a new one at once. */
  | { readonly kind: 'kill'; readonly process: number }
  /** SIGSTOP, and SIGCONT after `ms`: longer than a session, so that another owns its shards when it wakes. */
  | { readonly kind: 'freeze'; readonly process: number; readonly ms: number }
  /** SIGTERM, and a new one after `ms`: the group is rebalanced twice. */
  | { readonly kind: 'leave'; readonly process: number; readonly ms: number }
  /** A broker is killed and started again after `ms`: where there is one, all are away. */
  | { readonly kind: 'broker'; readonly broker: number; readonly ms: number }
  /** One of the lines to the broker is poisoned for `ms`. */
  | { readonly kind: 'toxic'; readonly line: number; readonly toxic: Toxic; readonly ms: number }
  /** One of the lines is cut for `ms`. */
  | { readonly kind: 'cut'; readonly line: number; readonly ms: number }

export interface Planned {
  /** Pause before it, since the one before was done. */
  readonly afterMs: number
  readonly fault: Fault
}

/** How many of which. */
export interface Faults {
  readonly kills: number
  readonly freezes: number
  readonly leaves: number
  readonly brokers: number
  /** Each of another kind, in turn. */
  readonly toxics: number
  readonly cuts: number
}

export interface Cast {
  readonly processes: number
  readonly lines: number
  readonly brokers: number
}

/** Bounds of what the plan draws, ms. A session of the group is 6 s: shorter and longer freezes do different things. */
export const times = {
  pause: [1_000, 4_000],
  freeze: [2_000, 14_000],
  leave: [500, 4_000],
  broker: [200, 6_000],
  toxic: [3_000, 12_000],
  cut: [1_000, 8_000],
} as const

/** Toxics in turn; 1 kB/s is 8 kbit/s, the nearest that toxiproxy has to a line of 9.6. */
const toxics: readonly Toxic[] = [
  { kind: 'latency', latencyMs: 500, jitterMs: 200 },
  { kind: 'silence', of: 'answers' },
  { kind: 'reset', afterMs: 300 },
  { kind: 'bandwidth', kilobytesPerS: 1 },
  { kind: 'silence', of: 'requests' },
]

/**
 * The faults of a run in a random order. Every process is killed about as often as every other. The same random numbers
 * give the same plan.
 */
export function planFaults(random: Random, faults: Faults, { processes, lines, brokers }: Cast): readonly Planned[] {
  const between = ([least, most]: readonly [number, number]): number => Math.round(least + random() * (most - least))
  const each = (kind: keyof Faults): number[] => Array.from({ length: faults[kind] }, (_, index) => index)
  const order = shuffled(
    Array.from({ length: processes }, (_, index) => index),
    random,
  )
  const victim = (index: number): number => order[index % processes]!
  const some = (count: number): number => Math.floor(random() * count)
  const firstToxic = some(toxics.length)
  const all: Fault[] = [
    ...each('kills').map((index): Fault => ({ kind: 'kill', process: victim(index) })),
    ...each('freezes').map((): Fault => ({ kind: 'freeze', process: some(processes), ms: between(times.freeze) })),
    ...each('leaves').map((): Fault => ({ kind: 'leave', process: some(processes), ms: between(times.leave) })),
    ...each('brokers').map((): Fault => ({ kind: 'broker', broker: some(brokers), ms: between(times.broker) })),
    ...each('toxics').map((index): Fault => {
      const toxic = toxics[(firstToxic + index) % toxics.length]!
      return { kind: 'toxic', line: some(lines), toxic, ms: between(times.toxic) }
    }),
    ...each('cuts').map((): Fault => ({ kind: 'cut', line: some(lines), ms: between(times.cut) })),
  ]
  return shuffled(all, random).map((fault) => ({ afterMs: between(times.pause), fault }))
}

/** In words, for whoever watches a run. */
export function sayFault(fault: Fault, names: readonly string[]): string {
  switch (fault.kind) {
    case 'kill':
      return `kill -9 ${names[fault.process]}`
    case 'freeze':
      return `freeze ${names[fault.process]} for ${fault.ms} ms`
    case 'leave':
      return `SIGTERM ${names[fault.process]}, and back after ${fault.ms} ms`
    case 'broker':
      return `kill -9 broker ${fault.broker}, and back after ${fault.ms} ms`
    case 'toxic':
      return `line ${fault.line}: ${Object.values(fault.toxic).join(' ')} for ${fault.ms} ms`
    case 'cut':
      return `line ${fault.line} cut for ${fault.ms} ms`
    default:
      return unreachable(fault)
  }
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const list = [...items]
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const item = list[at]!
    list[at] = list[other]!
    list[other] = item
  }
  return list
}
