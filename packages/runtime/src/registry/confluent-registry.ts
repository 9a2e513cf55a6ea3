import { createRequire } from 'node:module'
import { type Clock, systemClock, within } from '../clock.ts'

/** How to reach a schema registry that speaks Confluent's REST API. */
export interface RegistryConnection {
  /** `https://registry.example:8081`; with a path where there is one, as Apicurio has. */
  readonly url: string
  readonly auth?: { readonly username: string; readonly password: string }
}

/** What the registry has under an id: a self-contained Avro schema as JSON, or why events cannot be read with it. */
export type RegistryAnswer = { readonly schema: string } | { readonly refused: string }

/** Where schemas come from. */
export interface SchemaSource {
  /** Of the address, for people and for the log. */
  readonly name: string
  /** null: the registry answers, and has nothing under the id. @throws RegistryUnavailable */
  fetch(id: number): Promise<RegistryAnswer | null>
}

/** The registry did not answer, or not as one: worth trying again later. */
export class RegistryUnavailable extends Error {
  override readonly name = 'RegistryUnavailable'
}

const answerMs = 5_000
const notFound = 404

/** One type of avsc, as far as it matters here; the registry client gives other objects for other kinds of schemas. */
interface AvroType {
  readonly typeName: string
  schema(options: { exportAttrs: boolean }): unknown
}

/** Schemas from a registry, references resolved, by the client that KafkaJS users have. */
export function confluentRegistry({ url, auth }: RegistryConnection, clock: Clock = systemClock): SchemaSource {
  const client = newClient(url, auth)
  return {
    name: new URL(url).origin,
    async fetch(id) {
      try {
        const found = (await within(clock, answerMs, `schema ${id}`, client.getSchema(id))) as Partial<AvroType>
        if (typeof found.typeName !== 'string' || typeof found.schema !== 'function') {
          return { refused: 'is a schema of another kind than Avro; events are read as Avro, JSON or Arrow' }
        }
        return { schema: JSON.stringify(found.schema({ exportAttrs: true })) }
      } catch (error) {
        const { status, message, name } = error as Error & { readonly status?: number }
        if (status === notFound) return null
        // A client's error without a status is about the schema that came, not about the way to it.
        if (status === undefined && name !== 'DeadlineExceeded') {
          return { refused: `is no schema that can be read: ${message}`.slice(0, 200) }
        }
        throw new RegistryUnavailable(`the schema registry ${new URL(url).origin} did not answer: ${message}`)
      }
    },
  }
}

function newClient(host: string, auth: RegistryConnection['auth']) {
  // Loaded when a registry is configured: nobody else waits for it.
  const { SchemaRegistry } = createRequire(import.meta.url)(
    '@kafkajs/confluent-schema-registry',
  ) as typeof import('@kafkajs/confluent-schema-registry')
  const trailing = /\/+$/
  // It is tried again here, with the log's clock.
  return new SchemaRegistry({ host: host.replace(trailing, ''), retry: { retries: 0 }, ...(auth ? { auth } : {}) })
}
