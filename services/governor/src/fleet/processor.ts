import {
  type AnyOut,
  type BrakeOut,
  canonicalJson,
  type DecisionOut,
  type Input,
  type LogTime,
  type Policy,
  type Processor,
  type Step,
} from '@interlock/contracts'
import { brakeRule, fleetView, producerOf, type Want } from '@interlock/deployment'
import { say } from '@interlock/policy'
import { machine } from '../desk.ts'

/** State of the fleet's one shard. Plain JSON. */
export interface FleetState {
  /** Brakes of the policies in force, by deployment: who is registered, and how strict the brake is. */
  readonly brakes: Readonly<Record<string, Policy['brakes']>>
  /** Who wanted to roll back within the window, oldest first. */
  readonly wants: readonly Want[]
  readonly brake: BrakeOut | null
}

/** One burst of wants a deployment is enough; beyond this the oldest are forgotten. */
const wantsKept = 10_000

/**
 * The fleet: reads all governor logs and suspects our own data, or a shared source, when too many deployments want to
 * roll back at once. Pure.
 */
export function createFleet(): Processor<FleetState> {
  return {
    name: 'fleet',
    version: 1,
    empty: () => ({ brakes: {}, wants: [], brake: null }),
    step,
    save: (state) => Buffer.from(canonicalJson(state), 'utf8'),
    load,
  }
}

function load(bytes: Uint8Array, version: number): FleetState {
  if (version !== 1) {
    throw new Error(
      `fleet: a snapshot of version ${version}; this build reads version 1. Start the build that wrote it.`,
    )
  }
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as FleetState
}

function step(state: FleetState, batch: readonly Input[], time: LogTime): Step<FleetState> {
  let { brakes, wants } = state
  for (const input of batch) {
    if (input.kind !== 'out') continue
    const { out } = input
    if (out.kind === 'watch') brakes = { ...brakes, [out.deployment]: out.policy.brakes }
    if (out.kind === 'decision' && isWant(out)) wants = [...wants, wantOf(out)]
  }
  const rule = brakeRule(Object.values(brakes))
  const recent = wants.filter(({ at }) => time - at < rule.windowMs).slice(-wantsKept)
  const { on, deployments, sharedProducer } = fleetView(recent, Object.keys(brakes).length, rule, time)
  const kept = recent.length === wants.length ? wants : recent
  const isNews = on !== (state.brake?.on ?? false) || (on && sharedProducer !== state.brake?.sharedProducer)
  if (!isNews) return [{ brakes, wants: kept, brake: state.brake }, []]
  const reason = on
    ? say({ kind: 'brake', deployments: deployments.length, source: sharedProducer }).brief
    : 'The deployments have calmed down.'
  const brake: BrakeOut = { kind: 'brake', on, reason, deployments, sharedProducer }
  const outs: readonly AnyOut[] = [brake]
  return [{ brakes, wants: kept, brake }, outs]
}

/** The machine rolled back, was kept from it by its own brake, or found the harm in both arms. */
function isWant({ outcome, by, rule }: DecisionOut): boolean {
  if (by !== machine) return false
  return outcome === 'rolled-back' || outcome === 'data-incident' || (outcome === 'held' && rule.startsWith('brake:'))
}

function wantOf({ deployment, at, guardrail, facts }: DecisionOut): Want {
  const named = typeof facts.source === 'string' ? facts.source : null
  return { deployment, at, producer: named ?? (guardrail === null ? null : producerOf([guardrail])) }
}
