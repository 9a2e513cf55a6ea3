import { type EventKind, ownRegistry } from '@interlock/contracts'

/** A schema registry that speaks Confluent's REST API. */
export interface Registry {
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** Default: `<topic>-value`, as Confluent's own clients name it. */
  readonly subject?: string
}

/** The registry says no: the schema does not fit what is registered under its subject, or nobody may register there. */
export class SchemaRefused extends Error {
  override readonly name = 'SchemaRefused'
}

/**
 * Registers Interlock's schema of a kind of events for a topic; one that is registered already keeps its id.
 *
 * @returns the id that messages name it by
 * @throws SchemaRefused with the registry's reason; Error when it is away: worth trying again
 */
export async function registerSchema(
  registry: Registry,
  kind: EventKind,
  topic: string,
  options: { readonly fetch?: typeof fetch; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const { url, username, password, subject = `${topic}-value` } = registry
  const login = Buffer.from(`${username}:${password}`).toString('base64')
  const response = await (options.fetch ?? fetch)(
    `${url.replace(/\/$/, '')}/subjects/${encodeURIComponent(subject)}/versions`,
    {
      method: 'POST',
      headers: {
        'content-type': 'application/vnd.schemaregistry.v1+json',
        ...(username === undefined ? {} : { authorization: `Basic ${login}` }),
      },
      body: JSON.stringify({ schema: JSON.stringify(ownRegistry.newest(kind).json) }),
      ...(options.signal ? { signal: options.signal } : {}),
    },
  )
  const text = await response.text()
  const said = `the schema registry answered ${response.status} about subject ${subject}: ${text.slice(0, 300)}`
  if (response.status >= 500 || response.status === 429 || response.status === 408) throw new Error(said)
  if (!response.ok) throw new SchemaRefused(said)
  const { id } = JSON.parse(text) as { id?: unknown }
  if (typeof id !== 'number' || !Number.isInteger(id)) throw new SchemaRefused(said)
  return id
}
