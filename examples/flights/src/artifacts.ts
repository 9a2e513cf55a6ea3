import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Hash, sha256 } from '@interlock/contracts'
import { epochMs, flightsDigest, spans } from './data.ts'
import type { DelayRates, FlightRequest, Version } from './features.ts'
import { categoricalFeatures, numericFeatures } from './features.ts'
import { layoutOf, type Model, score, termsOf } from './models.ts'
import { healthyFeatures, type Training } from './training.ts'

/** What a version is: file, digest, and where it came from. Written beside the artifact. */
export type Manifest = {
  /** `flight-delay@v1` */
  readonly name: string
  readonly version: Version
  /** File name of the artifact, in the manifest's own folder. */
  readonly artifact: string
  /** Digest of the artifact's bytes. */
  readonly digest: Hash
  readonly trainedOn: {
    readonly dataset: string
    readonly digest: string
    readonly days: string
    readonly rows: number
  }
  readonly features: { readonly numeric: readonly string[]; readonly categorical: readonly string[] }
  readonly threshold: number
  readonly aucHeldOut: number
  /** A request and the score that this artifact gives it: the router's self-test before it may serve. */
  readonly probe: { readonly request: FlightRequest; readonly score: number }
}

/** A version as the router holds it. */
export type LoadedModel = { readonly manifest: Manifest; readonly model: Model; readonly artifactPath: string }

/** The name of a version in events and manifests. */
export function versionName(version: Version): string {
  return `flight-delay@${version}`
}

/** The model as bytes; equal models give equal bytes. */
export function encodeModel(model: Model): Uint8Array {
  const { blocks } = layoutOf(model.version)
  const weights = Object.fromEntries(
    termsOf(model.version).map((term) => {
      const begin = blocks.get(term.name)!
      return [term.name, [...model.weights.subarray(begin, begin + term.size)]]
    }),
  )
  const { overall, origin, route, originHour } = model.rates
  const rates =
    model.version === 'v1'
      ? { overall, origin: Object.fromEntries(origin) }
      : {
          overall,
          origin: Object.fromEntries(origin),
          route: Object.fromEntries(route),
          originHour: Object.fromEntries(originHour),
        }
  const artifact = { format: 'flight-delay/1', version: model.version, threshold: model.threshold, weights, rates }
  return new TextEncoder().encode(`${JSON.stringify(artifact)}\n`)
}

/** Reads a model back from the bytes of `encodeModel`. */
export function decodeModel(bytes: Uint8Array, where: string): Model {
  const artifact = JSON.parse(new TextDecoder().decode(bytes)) as {
    format: string
    version: Version
    threshold: number
    weights: Record<string, number[]>
    rates: { overall: number; origin: object; route?: object; originHour?: object }
  }
  if (artifact.format !== 'flight-delay/1' || (artifact.version !== 'v1' && artifact.version !== 'v2')) {
    throw new Error(`${where}: this is no artifact of the flights example (format "${artifact.format}")`)
  }
  const { blocks, size } = layoutOf(artifact.version)
  const weights = new Float64Array(size)
  for (const term of termsOf(artifact.version)) {
    const block = artifact.weights[term.name]
    if (block?.length !== term.size) {
      throw new Error(
        `${where}: weights "${term.name}" are ${block?.length ?? 'missing'}, this build reads ${term.size}\n` +
          '  The artifact was written by another build of the example. Train again (src/train-main.ts).',
      )
    }
    weights.set(block, blocks.get(term.name)!)
  }
  const rates: DelayRates = {
    overall: artifact.rates.overall,
    origin: rateMap(artifact.rates.origin),
    route: rateMap(artifact.rates.route),
    originHour: rateMap(artifact.rates.originHour),
  }
  return { version: artifact.version, rates, weights, threshold: artifact.threshold }
}

/** Writes artifact and manifest of both versions into a folder and returns the manifests. */
export async function writeArtifacts(folder: string, training: Training): Promise<Readonly<Record<Version, Manifest>>> {
  mkdirSync(folder, { recursive: true })
  const dataset = await flightsDigest()
  const write = (version: Version): Manifest => {
    const model = training.models[version]
    const bytes = encodeModel(model)
    const manifest: Manifest = {
      name: versionName(version),
      version,
      artifact: `flight-delay-${version}.json`,
      digest: sha256(bytes),
      trainedOn: {
        dataset: 'vega-datasets/data/flights-3m.parquet',
        digest: dataset,
        days: '2001-01-01..2001-02-28',
        rows: training.report.trainedRows + training.report.ratedRows,
      },
      features: { numeric: numericFeatures[version], categorical: categoricalFeatures },
      threshold: model.threshold,
      aucHeldOut: training.report.auc[version],
      probe: { request: probeRequest, score: score(model, healthyFeatures(version, probeRequest, model.rates)) },
    }
    writeFileSync(join(folder, manifest.artifact), bytes)
    writeFileSync(join(folder, `flight-delay-${version}.manifest.json`), `${JSON.stringify(manifest, undefined, 2)}\n`)
    return manifest
  }
  return { v1: write('v1'), v2: write('v2') }
}

/**
 * Loads every version that has a manifest in the folder. An artifact whose bytes are not what its manifest says is not
 * loaded; it comes back in `refused` with the reason.
 */
export function loadArtifacts(folder: string): { loaded: LoadedModel[]; refused: { name: string; reason: string }[] } {
  const loaded: LoadedModel[] = []
  const refused: { name: string; reason: string }[] = []
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.manifest.json')) continue
    const manifest = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Manifest
    const artifactPath = join(folder, manifest.artifact)
    try {
      const bytes = readFileSync(artifactPath)
      const digest = sha256(bytes)
      if (digest !== manifest.digest)
        throw new Error(`its bytes hash to ${digest}, the manifest says ${manifest.digest}`)
      loaded.push({ manifest, model: decodeModel(bytes, artifactPath), artifactPath })
    } catch (error) {
      refused.push({ name: manifest.name, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  return { loaded, refused }
}

const probeRequest: FlightRequest = {
  unit: 'ORD-LGA-17:30',
  flight: 0,
  departureMs: epochMs + (spans.march.from * 1_440 + 17 * 60 + 30) * 60_000,
  origin: 'ORD',
  destination: 'LGA',
  distance: 733,
  producer: 'midwest',
}

function rateMap(rates: object | undefined): ReadonlyMap<string, number> {
  return new Map(Object.entries(rates ?? {}) as [string, number][])
}
