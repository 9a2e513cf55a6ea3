import { contentTypes, type EventKind, type Events, encodeEventAvro } from '@interlock/contracts'
import { encodeArrow } from './encode-arrow.ts'

export type Format = 'arrow' | 'json' | 'avro'

/** How many events one message of a format holds. Avro in the Confluent wire format is one record a message. */
export const eventsInMessage: Readonly<Record<Format, number>> = { arrow: 1_024, json: 1_024, avro: 1 }

export interface Message {
  readonly contentType: string
  readonly body: Uint8Array
}

/**
 * One message of several events.
 *
 * @param schemaId  of Avro: the schema's id in the team's registry
 * @throws when an event is none
 */
export function encodeBatch<Kind extends EventKind>(
  kind: Kind,
  format: Format,
  events: readonly Events[Kind][],
  schemaId?: number,
): Message {
  switch (format) {
    case 'arrow':
      return { contentType: contentTypes.arrow, body: encodeArrow(events, kind) }
    case 'json':
      return {
        contentType: contentTypes.json,
        body: Buffer.from(JSON.stringify({ records: events }, spelledOut), 'utf8'),
      }
    case 'avro': {
      const [event] = events
      if (!event || events.length > 1) throw new RangeError('an Avro message holds one event')
      return { contentType: contentTypes.avro, body: encodeEventAvro(kind, event, schemaId) }
    }
  }
}

/**
 * JSON has no NaN and no infinities, and would say null: a broken number would look like a missing one. As text it is
 * counted as invalid.
 */
function spelledOut(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
