import { fileURLToPath } from 'node:url'

export {
  type LoadedModel,
  loadArtifacts,
  type Manifest,
  versionName,
  writeArtifacts,
} from './artifacts.ts'
export { deploymentSalt, goesToCandidate, positionOf } from './assignment.ts'
export { type ColumnBatch, marchRows } from './baseline-rows.ts'
export type { Emit, PredictionEvent } from './event.ts'
export {
  type FaultName,
  faultNames,
  faultSentences,
  faultSize,
  faultySource,
  isFaultName,
  isVersionFault,
  type VersionFault,
} from './faults.ts'
export { categoricalFeatures, type FlightRequest, numericFeatures, type Version } from './features.ts'
export type { Model, Prediction } from './models.ts'
export type { Readiness } from './readiness.ts'
export { airports, type Region, regionOf, regionOfAirport, regions } from './regions.ts'
export type { RouterState } from './router-state.ts'
export type { TrafficProgress } from './traffic.ts'
export { type Training, type TrainingReport, train } from './training.ts'

/** A child process to start with this Node: `spawn(process.execPath, args, { env })`. */
export type Child = { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }

/** How to start the router. It prints `{"listening": "http://127.0.0.1:PORT"}` once it listens. */
export function routerChild(options: {
  readonly artifacts: string
  readonly stateFile: string
  /** 0 takes any free port. */
  readonly port?: number
  readonly seed?: number
  /** Share of the stable's requests that a shadow scores too; 0.25 unless told. */
  readonly shadowSample?: number
  readonly allowFaults?: boolean
  readonly adminToken: string
  /** Base address of Interlock's ingest; without it events are counted and not sent. */
  readonly ingestUrl?: string
  readonly ingestToken?: string
}): Child {
  const { port = 0, seed = 1, shadowSample = 0.25 } = options
  return {
    args: [
      path('./router-main.ts'),
      ...['--artifacts', options.artifacts, '--state', options.stateFile, '--port', String(port)],
      ...['--seed', String(seed), '--shadow-sample', String(shadowSample)],
      ...(options.allowFaults === true ? ['--allow-faults'] : []),
    ],
    env: {
      ROUTER_ADMIN_TOKEN: options.adminToken,
      INGEST_URL: options.ingestUrl ?? '',
      INGEST_TOKEN: options.ingestToken ?? '',
    },
  }
}

/**
 * How to start the traffic. Standard input takes `fault source on|off`, `rate N`, `stop`; standard output gives a
 * `TrafficProgress` a second as JSON lines.
 */
export function trafficChild(options: {
  readonly router: string
  /** Predictions a second; 1,500 unless told. */
  readonly rate?: number
  readonly speed?: number
  /** First day, such as 2001-04-01. */
  readonly from?: string
  readonly days?: number
  readonly seed?: number
}): Child {
  const { rate = 1_500, speed = 1, from = '2001-04-01', seed = 1 } = options
  return {
    args: [
      path('./traffic-main.ts'),
      ...['--router', options.router, '--rate', String(rate), '--speed', String(speed)],
      ...['--from', from, '--seed', String(seed)],
      ...(options.days === undefined ? [] : ['--days', String(options.days)]),
    ],
    env: {},
  }
}

/** Folder of this example: policy.yaml lies in it. */
export const exampleFolder = fileURLToPath(new URL('..', import.meta.url))

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
