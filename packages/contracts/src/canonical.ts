import { sha256 } from './hash.ts'
import type { Hash } from './ids.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/**
 * Canonical JSON (RFC 8785): keys sorted by UTF-16 code units, no space, ECMAScript number form. Keys whose value is
 * undefined are left out. Two equal values always give the same text, so the text can be hashed and signed.
 *
 * @throws TypeError for NaN, infinities, functions, bigint, symbols and cycles: they have no JSON form.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON has no form for ${value}`)
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object') {
    const record = value as Record<string, unknown>
    let fields = ''
    // Without a comparison of its own, sort() is by UTF-16 code units.
    for (const key of Object.keys(record).sort()) {
      const field = record[key]
      if (field !== undefined) fields += `${fields === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(field)}`
    }
    return `{${fields}}`
  }
  throw new TypeError(`canonical JSON has no form for a ${typeof value}`)
}

/** Name of a value by its content: SHA-256 of its canonical JSON. */
export function contentHash(value: unknown): Hash {
  return sha256(canonicalJson(value))
}
