import { contentTypes, encodeEventAvro, encodeEventJson } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { type Columns, tags } from './columns.ts'
import { arrowOf, decoded, prediction, sampleWanted } from './sample-events.ts'
import { keyOf } from './sketches/murmur3.ts'

const wanted = { ...sampleWanted, ids: true }

function keysOf({ id, rows }: Columns): (number | null)[] {
  return Array.from({ length: rows }, (_, row) => (id!.tags[row] === tags.number ? id!.numbers[row]! : null))
}

test('an id has one key whatever the format, and an empty one has none', () => {
  const events = ['p-1', 'Ærø', ''].map((id) => prediction({ id }))
  const keys = [keyOf(new TextEncoder().encode('p-1')), keyOf(new TextEncoder().encode('Ærø')), null]
  const avro = events.map((event) => ({
    value: encodeEventAvro('prediction', event),
    headers: { 'content-type': contentTypes.avro },
  }))
  const json = { value: encodeEventJson(events), headers: { 'content-type': contentTypes.json } }
  for (const messages of [
    avro,
    [json],
    [{ value: arrowOf(events), headers: { 'content-type': contentTypes.arrow } }],
  ]) {
    expect(keysOf(decoded(messages, { wanted }).columns)).toEqual(keys)
  }
})

test('a whole number is the id of its digits; one beyond 2^53, a fraction, a list or nothing is no id', () => {
  const records = [7, '7', 2 ** 53, 1.5, ['7'], null].map((id) => ({ ...prediction(), id }))
  const json = {
    value: new TextEncoder().encode(JSON.stringify({ records })),
    headers: { 'content-type': contentTypes.json },
  }
  const seven = keyOf(new TextEncoder().encode('7'))
  expect(keysOf(decoded([json], { wanted }).columns)).toEqual([seven, seven, null, null, null, null])
})

test('a mapping finds the id where the team has it, and whoever does not want ids gets none', () => {
  const event = { ...prediction(), trace: { key: 'p-1' } }
  const json = {
    value: new TextEncoder().encode(JSON.stringify(event)),
    headers: { 'content-type': contentTypes.json },
  }
  const { columns } = decoded([json], { wanted, mapping: { id: 'trace.key' } })
  expect(keysOf(columns)).toEqual([keyOf(new TextEncoder().encode('p-1'))])
  expect(decoded([json]).columns.id).toBeNull()
})
