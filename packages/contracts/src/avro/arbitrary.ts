import fc from 'fast-check'
import type { AvroField, AvroNode } from './schema.ts'

/** avsc 5.7 reads longs beyond 2^52 wrongly (−4503599627370497 as 4503599627370496), so it can be no oracle there. */
const longLimit = 2 ** 52

/** For tests: plain values that a schema takes. Map keys begin with a letter, so that every reader keeps their order. */
export function arbitraryOf(node: AvroNode): fc.Arbitrary<unknown> {
  switch (node.kind) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'int':
      return fc.integer()
    case 'long':
      if (node.offset) return fc.bigInt({ min: BigInt(-longLimit), max: BigInt(longLimit) })
      return node.oneOf ? fc.constantFrom(...node.oneOf) : fc.maxSafeInteger().map((value) => value % longLimit)
    case 'float':
      return fc.float()
    case 'double':
      return fc.double()
    case 'string':
      return node.oneOf ? fc.constantFrom(...node.oneOf) : fc.string({ unit: 'grapheme', maxLength: 12 })
    case 'bytes':
      return fc.uint8Array({ maxLength: 12 }).map((bytes) => new Uint8Array(bytes))
    case 'fixed':
      return fc.uint8Array({ minLength: node.size, maxLength: node.size }).map((bytes) => new Uint8Array(bytes))
    case 'enum':
      return fc.constantFrom(...node.symbols)
    case 'union':
      return fc.oneof(...node.branches.map(arbitraryOf))
    case 'array':
      return fc.array(arbitraryOf(node.items), { maxLength: 3 })
    case 'map':
      return fc.dictionary(fc.stringMatching(/^[a-z][a-zA-Z0-9 .:éß€]{0,8}$/), arbitraryOf(node.values), {
        maxKeys: 3,
        noNullPrototype: true,
      })
    case 'record':
      if (node.tuple) return fc.tuple(...node.fields.map((field) => arbitraryOf(field.type)))
      return fc.record(Object.fromEntries(node.fields.map((field) => [field.name, propertyOf(field)])), {
        requiredKeys: node.fields.filter((field) => !field.optional).map((field) => field.name),
        noNullPrototype: true,
      })
  }
}

function propertyOf(field: AvroField): fc.Arbitrary<unknown> {
  if (!field.optional || field.type.kind !== 'union') return arbitraryOf(field.type)
  return fc.oneof(...field.type.branches.filter((branch) => branch.kind !== 'null').map(arbitraryOf))
}
