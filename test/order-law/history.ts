import {
  type AgentId,
  type Command,
  type DeploymentId,
  type Desired,
  type Hash,
  type Order,
  severities,
  sha256,
} from '@interlock/contracts'
import { nextGeneration, raised, restored, revised, severityOf, standsInTheWay } from '@interlock/deployment'
import fc from 'fast-check'

/** What a governor may be led to order, with its parameters. Holds and releases issue nothing: `renew` goes on under them. */
export type Act =
  | { readonly kind: 'rollout' | 'roll-back' | 'retarget'; readonly to: number }
  | { readonly kind: 'promote' | 'ramp-step'; readonly share: number }
  | { readonly kind: 'renew' | 'hold' | 'release' | 'halt' | 'fall-back' | 'restore' }

const versions = ['v0', 'v1', 'v2', 'v3'].map((name) => sha256(name))
export const first = versions[0] as Hash
const shares = [0, 0.01, 0.05, 0.1, 0.5, 1]
const to = fc.nat({ max: versions.length - 1 })
const share = fc.nat({ max: shares.length - 1 })
const plain = (...kinds: readonly ('renew' | 'hold' | 'release' | 'halt' | 'fall-back' | 'restore')[]) =>
  fc.record({ kind: fc.constantFrom(...kinds) })
const arbitraryAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('rollout' as const), to }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('promote' as const), share }) },
  { weight: 4, arbitrary: plain('renew') },
  { weight: 2, arbitrary: plain('hold', 'release') },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('ramp-step' as const), share }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('roll-back' as const, 'retarget' as const), to }) },
  { weight: 1, arbitrary: plain('halt', 'fall-back') },
  { weight: 3, arbitrary: plain('restore') },
)
/** Lives of one deployment: several generations, stages, steps, retargets, restores. */
export const acts = fc.array(arbitraryAct, { minLength: 12, maxLength: 40, size: 'max' })

interface Standing {
  readonly order: Order
  readonly desired: Desired
  readonly candidate: Hash | null
  readonly suspended: Desired | null
}

const start: Standing = {
  order: [0, 0, 0, 0],
  desired: { target: first, candidate: null, shareMax: 0, shadow: false, pace: 'at-once', fallback: false },
  candidate: null,
  suspended: null,
}

/** The commands that a governor issues in such a life, in the order of issue. What is not lawful then issues none. */
export function commandsOf(life: readonly Act[]): readonly Command[] {
  let standing = start
  const commands: Command[] = []
  for (const act of life) {
    const next = after(standing, act)
    if (next === null) continue
    standing = next
    commands.push(commandOf(next, commands.length))
  }
  return commands
}

function after(now: Standing, act: Act): Standing | null {
  const { order, desired, candidate } = now
  const severity = severityOf(order)
  const stable: Desired = { ...start.desired, target: desired.target }
  switch (act.kind) {
    case 'rollout': {
      const version = versions[act.to] as Hash
      if (standsInTheWay(order) || version === desired.target) return null
      return { order: nextGeneration(order), desired: stable, candidate: version, suspended: null }
    }
    case 'promote': {
      if (severity !== severities.normal || candidate === null) return null
      const shareMax = shares[act.share] as number
      return { ...now, order: revised(order), desired: { ...desired, candidate, shareMax, shadow: shareMax === 0 } }
    }
    case 'renew':
      return desired.candidate === null ? null : { ...now, order: revised(order) }
    case 'hold':
    case 'release':
      return null
    case 'halt':
      return severity >= severities.halt ? null : raise(now, severities.halt, desired)
    case 'ramp-step': {
      if (severity > severities.rampDown || desired.candidate === null) return null
      const shareMax = Math.min(desired.shareMax, shares[act.share] as number)
      const step: Desired = shareMax === 0 ? stable : { ...desired, shareMax, shadow: false }
      return raise(now, severities.rampDown, { ...step, pace: 'steps' })
    }
    case 'roll-back':
    case 'retarget': {
      const isStanding = severity === severities.rollBack
      if (severity > severities.rollBack || (act.kind === 'retarget') !== isStanding) return null
      return raise(now, severities.rollBack, { ...stable, target: versions[act.to] as Hash })
    }
    case 'fall-back':
      return severity >= severities.fallBack ? null : raise(now, severities.fallBack, { ...stable, fallback: true })
    case 'restore':
      if (severity === severities.normal) return null
      return { ...now, order: restored(order), desired: now.suspended ?? stable, suspended: null }
  }
}

function raise(now: Standing, severity: 1 | 2 | 3 | 4, desired: Desired): Standing | null {
  const order = raised(now.order, severity)
  if (order === undefined) return null
  return { ...now, order, desired, suspended: now.suspended ?? now.desired }
}

function commandOf({ order, desired }: Standing, number: number): Command {
  return {
    v: 1,
    environment: 'test',
    audience: 'agent' as AgentId,
    deployment: 'd' as DeploymentId,
    issuedAt: number,
    order,
    desired,
    grant:
      desired.candidate === null || desired.shareMax === 0
        ? null
        : {
            ms: 30_000,
            onLapse: [
              { afterMs: 0, desired },
              { afterMs: 300_000, desired: { ...desired, candidate: null, shareMax: 0 } },
            ],
          },
    because: sha256(`decision ${number}`),
    policy: sha256('policy'),
  }
}
