import { readFile } from 'node:fs/promises'
import { sha256 } from '@interlock/contracts'
import type { LoadedModel } from './artifacts.ts'
import { score } from './models.ts'
import { healthyFeatures } from './training.ts'

/** Whether a version could take all traffic now, and what was looked at. */
export type Readiness = {
  readonly target: string
  readonly ready: boolean
  readonly checks: readonly {
    readonly name: 'loaded' | 'digest' | 'warm'
    readonly ok: boolean
    readonly detail: string
  }[]
}

const warmLimitMs = 50
const scoreTolerance = 1e-9

/**
 * Checks that a version is loaded, that its artifact on disk still hashes to its digest, and that it answers the
 * probe of its manifest with the score it had when it was made, within 50 ms.
 */
export async function checkReadiness(target: string, loaded: readonly LoadedModel[]): Promise<Readiness> {
  const found = loaded.find((model) => model.manifest.digest === target)
  if (found === undefined) {
    const names = loaded.map((model) => `${model.manifest.name} ${model.manifest.digest}`).join(', ')
    return { target, ready: false, checks: [{ name: 'loaded', ok: false, detail: `not loaded; loaded are ${names}` }] }
  }
  const checks = [
    { name: 'loaded' as const, ok: true, detail: found.manifest.name },
    await checkDigest(found),
    checkWarm(found),
  ]
  return { target, ready: checks.every((check) => check.ok), checks }
}

async function checkDigest(found: LoadedModel) {
  try {
    const digest = sha256(await readFile(found.artifactPath))
    const ok = digest === found.manifest.digest
    const detail = ok ? 'the artifact hashes to its digest' : `the artifact on disk now hashes to ${digest}`
    return { name: 'digest' as const, ok, detail }
  } catch (error) {
    return { name: 'digest' as const, ok: false, detail: `the artifact cannot be read: ${String(error)}` }
  }
}

function checkWarm(found: LoadedModel) {
  const { request, score: expected } = found.manifest.probe
  const began = performance.now()
  const answered = score(found.model, healthyFeatures(found.model.version, request, found.model.rates))
  const tookMs = performance.now() - began
  const ok = Math.abs(answered - expected) <= scoreTolerance && tookMs <= warmLimitMs
  const detail = `scored the probe ${answered.toFixed(6)} (expected ${expected.toFixed(6)}) in ${tookMs.toFixed(2)} ms (limit ${warmLimitMs} ms)`
  return { name: 'warm' as const, ok, detail }
}
