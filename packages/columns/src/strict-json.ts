import { type Json, parseStrict } from '@interlock/contracts'
import { bounds } from './bounds.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const byte = {
  quote: 0x22,
  backslash: 0x5c,
  colon: 0x3a,
  open: 0x7b,
  openList: 0x5b,
  close: 0x7d,
  closeList: 0x5d,
  u: 0x75,
}

/**
 * The value of JSON bytes, exactly as `parseStrict` of the contracts has it, several times as fast: the engine's parser
 * reads the text, and two scans make sure that it and the strict one cannot differ. A text that shows anything odd
 * (depth, an escape that may hide half a surrogate, more keys written than read, a number that is infinite, an error)
 * goes to the strict parser, which says what is wrong and where, or takes it after all.
 *
 * @throws Malformed
 */
export function strictJson(bytes: Uint8Array): Json {
  const keys = keysWritten(bytes)
  if (keys >= 0) {
    const value = parsed(bytes)
    if (value !== undefined && keysRead(value) === keys) return value
  }
  return parseStrict(bytes, { maxBytes: bounds.recordBytes })
}

function parsed(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(utf8.decode(bytes)) as Json
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
}

/** Number of keys in the text: colons outside strings. −1 for a text that the strict parser should look at. */
function keysWritten(bytes: Uint8Array): number {
  let keys = 0
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    const next = bytes[at]!
    if (next === byte.quote) {
      for (at++; at < bytes.length && bytes[at] !== byte.quote; at++) {
        if (bytes[at] === byte.backslash && bytes[++at] === byte.u) return -1
      }
    } else if (next === byte.colon) keys++
    else if (next === byte.open || next === byte.openList) {
      if (++depth > bounds.depth) return -1
    } else if (next === byte.close || next === byte.closeList) depth--
  }
  return keys
}

/** Number of keys in the value: fewer than were written where one stood twice. NaN where the strict parser must look. */
function keysRead(value: Json): number {
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) keys += keysRead(item)
    return keys
  }
  const object = value as { readonly [key: string]: Json }
  for (const key in object) {
    if (key === '__proto__') return Number.NaN
    keys += 1 + keysRead(object[key]!)
  }
  return keys
}
