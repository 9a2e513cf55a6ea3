import type { Hash, Observed, Order, Readiness } from '@interlock/contracts'
import { PlatformError } from './http-json.ts'

const hex64 = /^[0-9a-f]{64}$/

/** Reads what a platform says of itself, or says which field is wrong. Nothing is guessed. */
export function parseObserved(value: unknown, from: string): Observed {
  const record = asRecord(value, from)
  const share = record.share
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) {
    throw new PlatformError(`${from}: "share" is ${JSON.stringify(share)}; it must be a number from 0 to 1`)
  }
  const generation = record.generation
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 0) {
    throw new PlatformError(`${from}: "generation" is ${JSON.stringify(generation)}; it must be a whole number`)
  }
  const version = record.version ?? record.etag
  if (typeof version !== 'string' || version === '') {
    throw new PlatformError(`${from}: neither "version" nor "etag" is a text that a compare-and-set could name`)
  }
  return {
    version,
    generation,
    stable: digest(record.stable, 'stable', from),
    candidate: record.candidate === null ? null : digest(record.candidate, 'candidate', from),
    share,
    shadow: record.shadow === true,
    fallback: record.fallback === true,
    ...(record.order === undefined || record.order === null ? {} : { order: orderOf(record.order, from) }),
  }
}

/** Reads a readiness answer. Anything but an explicit `ready: true` with every check true is not ready. */
export function parseReadiness(value: unknown, from: string): Readiness {
  const record = asRecord(value, from)
  const list = Array.isArray(record.checks) ? record.checks : []
  const checks = list.map((one) => {
    const check = asRecord(one, from)
    return { name: String(check.name), ok: check.ok === true, detail: String(check.detail ?? '') }
  })
  return { ok: record.ready === true && checks.length > 0 && checks.every((check) => check.ok), checks }
}

/** Reads a list of digests, or of objects that have one. A platform that names none says so with an empty list. */
export function digests(value: unknown, field: string, from: string): readonly Hash[] {
  if (!Array.isArray(value))
    throw new PlatformError(`${from}: "${field}" is missing; it must list the artifacts that could serve`)
  return value.map((one: unknown) =>
    digest(typeof one === 'object' && one !== null ? (one as { digest?: unknown }).digest : one, `${field}[]`, from),
  )
}

function orderOf(value: unknown, from: string): Order {
  const isOrder =
    Array.isArray(value) && value.length === 4 && value.every((part) => Number.isSafeInteger(part) && part >= 0)
  if (isOrder) return value as unknown as Order
  throw new PlatformError(`${from}: "order" is ${JSON.stringify(value)}; it must be four whole numbers, or null`)
}

function digest(value: unknown, field: string, from: string): Hash {
  if (typeof value !== 'string' || !hex64.test(value)) {
    throw new PlatformError(`${from}: "${field}" is ${JSON.stringify(value)}; it must be a SHA-256 digest in hex`)
  }
  return value as Hash
}

function asRecord(value: unknown, from: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PlatformError(`${from}: expected a JSON object, got ${JSON.stringify(value)?.slice(0, 80)}`)
  }
  return value as Record<string, unknown>
}
