import {
  type AlertOut,
  type BrakeOut,
  canonicalJson,
  contentHash,
  type DecisionOut,
  type DeploymentId,
  type Input,
  isProbe,
  type LogTime,
  type Policy,
  type Processor,
  type Step,
} from '@interlock/contracts'
import { brakeRule, fleetView, producerOf, type Want } from '@interlock/deployment'
import { emptyFrontier, type Frontier } from '@interlock/ledger'
import { say } from '@interlock/policy'
import { machine } from '../desk.ts'
import { type Decided, record } from './ledger.ts'

/** State of the fleet's one shard. Plain JSON. */
export interface FleetState {
  /** Brakes of the policies in force, by deployment: who is registered, and how strict the brake is. */
  readonly brakes: Readonly<Record<string, Policy['brakes']>>
  /** Who wanted to roll back within the window, oldest first. */
  readonly wants: readonly Want[]
  readonly brake: BrakeOut | null
  /** The page about the brake, while it is on. */
  readonly page: { readonly id: string; readonly deployment: DeploymentId } | null
  /** Size and right edge of the ledger's tree. */
  readonly ledger: Frontier
  /** When it last said that it is through with its inputs. */
  readonly pulseAt: LogTime
}

/** How often the fleet says that it is through with its inputs; governors renew grants only while they hear it. */
export const pulseEveryMs = 5_000

/** One burst of wants a deployment is enough; beyond this the oldest are forgotten. */
const wantsKept = 10_000

/**
 * The fleet: reads all governor logs, suspects our own data, or a shared source, when too many deployments want to roll back
 * at once, and keeps the ledger of all decisions. Pure.
 */
export function createFleet(): Processor<FleetState> {
  return {
    name: 'fleet',
    version: 2,
    empty: () => empty,
    step,
    save: (state) => Buffer.from(canonicalJson(state), 'utf8'),
    load,
  }
}

const empty: FleetState = { brakes: {}, wants: [], brake: null, page: null, ledger: emptyFrontier, pulseAt: 0 }

/** Version 1 kept no ledger: it begins with the decisions behind such a snapshot. */
function load(bytes: Uint8Array, version: number): FleetState {
  if (version !== 1 && version !== 2) {
    throw new Error(
      `fleet: a snapshot of version ${version}; this build reads versions 1 and 2. Start the build that wrote it.`,
    )
  }
  return { ...empty, ...(JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<FleetState>) }
}

function step(state: FleetState, batch: readonly Input[], time: LogTime, caughtUp: boolean): Step<FleetState> {
  let { brakes, wants } = state
  const decided: Decided[] = []
  for (const input of batch) {
    if (input.kind !== 'out') continue
    const { out, shard, offset } = input
    // The probe breaches by design: it is no deployment of the fleet, and its rollbacks are nobody's want.
    if (out.kind === 'watch' && !isProbe(out.deployment)) brakes = { ...brakes, [out.deployment]: out.policy.brakes }
    if (out.kind !== 'decision') continue
    decided.push({ decision: out, source: { shard, offset } })
    if (isWant(out) && !isProbe(out.deployment)) wants = [...wants, wantOf(out)]
  }
  const [ledger, recorded] = record(state.ledger, decided, time)
  const [braked, told] = brakeAt({ ...state, brakes, wants, ledger }, time)
  const isDue = caughtUp && time - state.pulseAt >= pulseEveryMs
  if (!isDue) return [braked, [...recorded, ...told]]
  return [{ ...braked, pulseAt: time }, [...recorded, ...told, { kind: 'pulse', at: time, size: ledger.size }]]
}

/** Puts the brake on or takes it off, and pages where that is news. */
function brakeAt(state: FleetState, time: LogTime): Step<FleetState> {
  const rule = brakeRule(Object.values(state.brakes))
  const recent = state.wants.filter(({ at }) => time - at < rule.windowMs).slice(-wantsKept)
  const { on, deployments, sharedProducer } = fleetView(recent, Object.keys(state.brakes).length, rule, time)
  const wants = recent.length === state.wants.length ? state.wants : recent
  const isNews = on !== (state.brake?.on ?? false) || (on && sharedProducer !== state.brake?.sharedProducer)
  if (!isNews) return [{ ...state, wants }, []]
  const said = say({ kind: 'brake', deployments: deployments.length, source: sharedProducer })
  const calm = 'The deployments have calmed down.'
  const brake: BrakeOut = { kind: 'brake', on, reason: on ? said.brief : calm, deployments, sharedProducer }
  const deployment = state.page?.deployment ?? deployments[0]
  if (deployment === undefined) return [{ ...state, wants, brake }, [brake]]
  const id = `fleet/${time}`
  const page: AlertOut = {
    kind: 'alert',
    id,
    deployment,
    at: time,
    attention: on ? 'act-now' : 'watch',
    sentence: on ? said.text : calm,
    done: on
      ? say({ kind: 'held', candidate: null, share: 0, by: null, because: null }).text
      : say({ kind: 'released', by: null, because: null, left: 0 }).text,
    asked: say(on ? { kind: 'asked-data', source: sharedProducer } : { kind: 'asked-nothing' }).text,
    decision: contentHash(brake),
    resolves: on ? null : (state.page?.id ?? null),
  }
  return [{ ...state, wants, brake, page: on ? { id, deployment } : null }, [brake, page]]
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
