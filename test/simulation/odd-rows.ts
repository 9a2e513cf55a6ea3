import type { Prediction } from '@interlock/contracts'
import { environment, healthy, row } from './cast.ts'
import type { Chance } from './streams.ts'
import type { World } from './world.ts'

/** Told which row of docs/reliability.md §4 was exercised. */
export type Note = (row: string) => void

function base(
  world: World,
  chance: Chance,
): { readonly traffic: World['traffics'][number]; readonly rows: Prediction[] } {
  const traffic = chance.of(world.traffics)
  const { state, serving } = world.platform(traffic.deployment)
  const of = {
    id: 'odd',
    deployment: traffic.deployment,
    generation: state.generation,
    version: serving.stable,
    variant: 'stable',
    eventTimeMs: Math.floor(world.simulation.now) - 50,
  } as const
  return { traffic, rows: [row(chance, healthy, of)] }
}

/** Event times out of order, late, far ahead, and of 1970. */
export function oddTimes(world: World, chance: Chance, note: Note): void {
  const { traffic, rows } = base(world, chance)
  const now = Math.floor(world.simulation.now)
  const tenYears = 10 * 365 * 86_400_000
  const [row, time] = chance.of([
    ['F11 out of order within lateness', now - chance.between(0, world.pace.latenessMs)],
    ['F11 late', now - chance.between(60_000, 600_000)],
    ['F11 ten years ahead', now + tenYears],
    ['F11 of 1970', chance.below(10_000)],
    ['F11 a little ahead', now + chance.below(50_000)],
    ['F11 of seconds', Math.floor(now / 1_000)],
  ] as const)
  note(row)
  traffic.send(rows.map((each) => ({ ...each, eventTimeMs: Math.floor(time) })))
}

/** Values on edges, beyond them, missing, of unknown words. */
export function oddNumbers(world: World, chance: Chance, note: Note): void {
  const { traffic, rows } = base(world, chance)
  note('F19 odd numbers')
  const x = chance.of([null, 1e308, -0, 5e-324, 2 ** 53, -1e9, 100, 0, 24.999999999999996, 25])
  const kind = chance.of([null, 'zebra', '', 'a'.repeat(300), '__proto__', 'a'])
  const odd = {
    features: { x, kind },
    score: chance.of([null, 0, 1, 0.5, 1e9, -1]),
    latencyMs: chance.of([null, 0, 10, 1e6, -5]),
    prediction: chance.of([null, 'maybe', 'yes']),
    segments: chance.of([{}, { zone: 'w' }, { zone: 'n', extra: '1' }]),
    producer: chance.of(['east', 'north', '']),
    version: chance.is(0.1) ? 'ghost@v1' : rows[0]!.version,
    generation: chance.is(0.1) ? 77 : rows[0]!.generation,
    environment: chance.is(0.1) ? 'elsewhere' : environment,
  }
  traffic.send(rows.map((each) => ({ ...each, ...odd })))
}
