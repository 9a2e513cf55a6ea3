import type { Entry, Out } from './log.ts'
import type { AnyOut } from './outs.ts'
import { ownRegistry } from './schema-registry.ts'
import { decodeWire, encodeWire } from './wire.ts'

/** Bytes of an entry (schemas/entry.avsc) in wire format. Equal entries give equal bytes. @throws WrongShape */
export function encodeEntry(entry: Entry): Uint8Array {
  return encodeWire(ownRegistry.newest('entry'), entry)
}

/** @throws Malformed, UnknownSchema when the bytes are no entry that this build knows. */
export function decodeEntry(bytes: Uint8Array): Entry {
  return decodeWire(ownRegistry.newest('entry').node, bytes) as Entry
}

/**
 * An out as entries carry it: its kind, whom it belongs to, and its record (schemas/outs/) in wire format.
 *
 * @throws WrongShape naming the field when the out has not the shape that schemas/outs/ declares.
 */
export function encodeOut(out: AnyOut): Out {
  return { kind: out.kind, key: keyOf(out), value: encodeWire(ownRegistry.newest(`outs/${out.kind}`), out) }
}

/** @throws Malformed, UnknownSchema, TypeError when the kind is not known to this build. */
export function decodeOut(out: Out): AnyOut {
  return decodeWire(ownRegistry.newest(`outs/${out.kind}`).node, out.value) as AnyOut
}

/** Whom an out belongs to: key of the record that a publisher copies. */
function keyOf(out: AnyOut): string {
  switch (out.kind) {
    case 'command':
      return out.command.deployment
    case 'dead-letter':
    case 'replayed':
      return `${out.topic}/${out.partition}`
    case 'progress':
      return String(out.shard)
    case 'brake':
    case 'pulse':
      return 'fleet'
    case 'leaf':
    case 'checkpoint':
      return 'ledger'
    default:
      return out.deployment
  }
}
