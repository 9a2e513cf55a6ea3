import { ByteWriter, Malformed } from './avro/bytes.ts'
import { readAvro } from './avro/read.ts'
import type { AvroNode } from './avro/schema.ts'
import { writeInto } from './avro/write.ts'
import { ownRegistry, type RegisteredSchema, type SchemaRegistry } from './schema-registry.ts'

/** Confluent wire format: byte 0, the writer's schema id as 4 bytes big-endian, Avro binary. */
const magic = 0
const headerBytes = 5

/** @throws WrongShape naming the path when the value does not have the schema's shape. */
export function encodeWire(schema: RegisteredSchema, value: unknown): Uint8Array {
  const out = new ByteWriter()
  for (const byte of [magic, schema.id >>> 24, schema.id >>> 16, schema.id >>> 8, schema.id]) out.byte(byte & 0xff)
  writeInto(schema.node, value, out)
  return out.finish()
}

/** Id of the writer's schema. @throws Malformed when the bytes do not begin as the wire format does. */
export function wireSchemaId(bytes: Uint8Array): number {
  if (bytes.length < headerBytes) throw new Malformed(`${bytes.length} bytes are too few for the Confluent wire format`)
  if (bytes[0] !== magic) throw new Malformed(`byte 0 is ${bytes[0]}, and the Confluent wire format begins with 0`)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
}

/** The Avro binary behind the header. */
export function wireBody(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(headerBytes)
}

/**
 * Plain value of a record in wire format, as `reader` (the newest schema of what is expected).
 *
 * @throws UnknownSchema, Malformed
 */
export function decodeWire(reader: AvroNode, bytes: Uint8Array, registry: SchemaRegistry = ownRegistry): unknown {
  return readAvro(registry.byId(wireSchemaId(bytes)).node, reader, bytes, headerBytes)
}
