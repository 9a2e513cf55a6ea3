/** Every bound of what is taken from outside. Beyond them a record is a dead letter, or a word is unknown; never more memory. */
export const bounds = {
  /** Bytes of one record's value; Kafka's own default. */
  recordBytes: 1_048_576,
  /** Rows of one batch of columns, and of one Arrow message. */
  rows: 65_536,
  /** Bytes of a word that can be known: a category, segment value, producer, class or id. Longer ones are unknown. */
  wordBytes: 256,
  /** Depth of nesting, JSON and Avro. */
  depth: 32,
  /** Characters of a dead letter's detail. */
  detail: 240,
  /** Known words of one column. */
  words: 20_000,
  features: 512,
  bins: 1_024,
  segments: 16,
} as const
