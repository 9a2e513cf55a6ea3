import { randomBytes } from 'node:crypto'
import { type LoadedModel, versionName } from './artifacts.ts'
import { deploymentSalt, goesToCandidate, positionOf } from './assignment.ts'
import type { Emit, PredictionEvent } from './event.ts'
import { faultSize, healthyErrorShare, type VersionFault } from './faults.ts'
import { type Features, type FlightRequest, featuresV1, featuresV2, type Version } from './features.ts'
import { decide, score } from './models.ts'
import { keyedLogNormal, keyedUniform } from './random.ts'
import type { RouterState } from './router-state.ts'

/** What the caller gets for one flight. */
export type Answer = {
  readonly id: string
  readonly prediction: string
  readonly score: number | null
  readonly version: string
  readonly variant: 'stable' | 'candidate'
  readonly status: PredictionEvent['status']
}

/** What serving needs from outside. */
export type ServingOptions = {
  readonly loaded: readonly LoadedModel[]
  readonly emit: Emit
  /** Seeds modelled latency, honest errors and faults. */
  readonly seed: number
  /** Share of the stable's requests that a shadow scores too. */
  readonly shadowSample: number
  /** The present time, milliseconds since 1970. */
  readonly now: () => number
  /** A word that no other process uses; tells apart ids of a router and of the one before it. */
  readonly nonce?: string
}

/** Answers flights by the state it is given, and tells Interlock what it answered. */
export type Serving = {
  answer(requests: readonly FlightRequest[], state: RouterState): Answer[]
  /** Switches a fault of v2 on or off. */
  setFault(fault: VersionFault, active: boolean): void
  activeFaults(): readonly VersionFault[]
}

/** Service time of a healthy answer: the network and the feature store that this example has not. */
export const modelledLatency = { medianMs: 8, sigma: 0.4 } as const

/** What is answered where no model answers: most flights are on time. */
const declaredRule = { version: 'flight-delay@rule', prediction: 'on-time' } as const

/** Purposes of keyed draws. Each version adds its own offset, so that the arms fail independently. */
const purposes = { latency: 0, honestError: 10, segment: 11, missing: 12, slow: 13, shadow: 14 } as const
const purposeOffset = { v1: 0, v2: 100 } as const satisfies Record<Version, number>

type Evaluation = Pick<PredictionEvent, 'features' | 'prediction' | 'score' | 'latencyMs' | 'status'>

/** Serving of one router process. */
export function createServing(options: ServingOptions): Serving {
  const { emit, seed, shadowSample, now } = options
  const byDigest = new Map(options.loaded.map((model) => [model.manifest.digest as string, model]))
  const nonce = options.nonce ?? randomBytes(6).toString('hex')
  const faults = new Set<VersionFault>()
  let counter = 0

  function evaluate(loaded: LoadedModel, request: FlightRequest): Evaluation {
    const began = performance.now()
    const { model } = loaded
    const draw = (purpose: number) => keyedUniform(seed, request.flight, purpose + purposeOffset[model.version])
    const active = (fault: VersionFault) => model.version === 'v2' && faults.has(fault)
    const latencyMs = () => {
      const slow = active('latency') && draw(purposes.slow) < faultSize.latency.share ? faultSize.latency.factor : 1
      const purpose = purposes.latency + purposeOffset[model.version]
      const modelled = keyedLogNormal(seed, request.flight, purpose, modelledLatency.medianMs, modelledLatency.sigma)
      return performance.now() - began + slow * modelled
    }
    const failed = (features: Features | Record<string, never>): Evaluation => ({
      features,
      prediction: null,
      score: null,
      latencyMs: latencyMs(),
      status: 'error',
    })
    let features: Features | Record<string, never> = {}
    try {
      features =
        model.version === 'v1'
          ? featuresV1(request, model.rates)
          : featuresV2(request, model.rates, (fault) =>
              fault === 'missing' ? active(fault) && draw(purposes.missing) < faultSize.missing.share : active(fault),
            )
      if (draw(purposes.honestError) < healthyErrorShare) return failed(features)
      const { airport, share } = faultSize.segment
      if (active('segment') && request.origin === airport && draw(purposes.segment) < share) return failed(features)
      const probability = score(model, features)
      if (!Number.isFinite(probability)) return failed(features)
      return {
        features,
        prediction: decide(model, probability),
        score: probability,
        latencyMs: latencyMs(),
        status: 'ok',
      }
    } catch {
      return failed(features) // A model that throws is an error of that version, never of the router.
    }
  }

  /** The declared rule answers; the stable's features are still computed, so that recovery of the data can be seen. */
  function fallBack(stable: LoadedModel, request: FlightRequest): Evaluation {
    return { ...evaluate(stable, request), prediction: null, score: null, status: 'fallback' }
  }

  return {
    answer(requests, state) {
      const stable = byDigest.get(state.stable)
      const candidate = state.candidate === null ? undefined : byDigest.get(state.candidate)
      if (stable === undefined) throw new Error(`router: ${state.stable} is in force and not loaded`)
      const events: PredictionEvent[] = []
      const record = (
        request: FlightRequest,
        variant: PredictionEvent['variant'],
        version: string,
        found: Evaluation,
      ): string => {
        const id = `${nonce}-${counter++}`
        events.push({
          id,
          environment: 'demo',
          tenant: 'local',
          deployment: 'flight-delay',
          generation: state.generation,
          version,
          variant,
          unit: request.unit,
          eventTimeMs: now(),
          ...found,
          segments: { airport: request.origin },
          producer: request.producer,
        })
        return id
      }
      const answers = requests.map((request): Answer => {
        const toCandidate =
          candidate !== undefined && goesToCandidate(positionOf(deploymentSalt, request.unit), state.share)
        const variant = toCandidate && !state.fallback ? 'candidate' : 'stable'
        const chosen = variant === 'candidate' ? candidate! : stable
        const version = state.fallback ? declaredRule.version : versionName(chosen.model.version)
        const found = state.fallback ? fallBack(stable, request) : evaluate(chosen, request)
        const id = record(request, variant, version, found)
        if (state.shadow && !state.fallback && candidate !== undefined && variant === 'stable') {
          if (keyedUniform(seed, request.flight, purposes.shadow) < shadowSample) {
            record(request, 'shadow', versionName(candidate.model.version), evaluate(candidate, request))
          }
        }
        const prediction = found.prediction ?? declaredRule.prediction
        return { id, prediction, score: found.score, version, variant, status: found.status }
      })
      emit(events)
      return answers
    },
    setFault(fault, active) {
      if (active) faults.add(fault)
      else faults.delete(fault)
    },
    activeFaults: () => [...faults],
  }
}
