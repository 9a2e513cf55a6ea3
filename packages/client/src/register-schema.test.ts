import { contentTypes, decodeEvents, ownRegistry, registryOf } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { Emitter } from './emitter.ts'
import { registerSchema, SchemaRefused } from './register-schema.ts'
import { flight } from './sample-flight.ts'

const incompatible = '{"error_code":409,"message":"Schema being registered is incompatible with an earlier schema"}'

/** A registry and an Interlock behind one `fetch`; the registry answers with the given states, the last one for ever. */
function servers(...answers: (number | 'away')[]) {
  const messages: Uint8Array[] = []
  const registered: { url: string; authorization: string | null; schema: unknown }[] = []
  let tries = 0
  const fetch: typeof globalThis.fetch = async (url, init) => {
    if (!String(url).includes('/subjects/')) {
      messages.push(init!.body as Uint8Array)
      return new Response('')
    }
    const answer = answers[Math.min(tries++, answers.length - 1)]!
    if (answer === 'away') throw new TypeError('fetch failed')
    const { schema } = JSON.parse(String(init!.body)) as { schema: string }
    const authorization = new Headers(init!.headers).get('authorization')
    registered.push({ url: String(url), authorization, schema: JSON.parse(schema) })
    return new Response(answer === 200 ? '{"id":70001}' : incompatible, { status: answer })
  }
  const clock = {
    sleep: (ms: number, signal: AbortSignal) =>
      ms >= 5_000
        ? new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        : new Promise<void>((resolve) => setImmediate(resolve)),
  }
  const emitter = new Emitter({
    ...{ url: 'http://interlock.test', topic: 'answers', kind: 'prediction', format: 'avro', fetch, clock },
    // Waits as long as the deadline of `close` never end by themselves here, so no backoff may be that long.
    random: () => 0.1,
    registry: { url: 'http://registry.test/apis/', username: 'me', password: 'word' },
  })
  return { emitter, messages, registered, tries: () => tries }
}

test('the schema is registered once under the topic’s subject, and messages name it by the registry’s id', async () => {
  const { emitter, messages, registered } = servers('away', 500, 200)
  emitter.emit(flight)
  emitter.emit({ ...flight, id: 'next' })
  await emitter.close()
  expect(registered.at(-1)).toEqual({
    url: 'http://registry.test/apis/subjects/answers-value/versions',
    authorization: `Basic ${Buffer.from('me:word').toString('base64')}`,
    schema: ownRegistry.newest('prediction').json,
  })
  expect(registered).toHaveLength(2) // the 500, and the one that counts
  const own = ownRegistry.newest('prediction')
  const registry = registryOf([{ ...own, id: 70_001 }])
  const events = messages.map((bytes) => decodeEvents('prediction', contentTypes.avro, bytes, { registry })[0]!)
  expect(events.map(({ id }) => id)).toEqual([flight.id, 'next'])
})

test('a schema that the registry refuses costs the events, counted, with the registry’s reason', async () => {
  const { emitter, messages } = servers(409)
  emitter.emit(flight)
  await emitter.close()
  expect(messages).toEqual([])
  expect(emitter.counts()).toMatchObject({ sent: 0, dropped: { refused: 1 } })
  expect(emitter.counts().problem).toContain('incompatible with an earlier schema')
})

test('a registry that stays away costs the events, counted as lost', async () => {
  const { emitter, tries } = servers('away')
  emitter.emit(flight)
  await emitter.flush()
  expect(emitter.counts()).toMatchObject({ sent: 0, waiting: 0, dropped: { lost: 1 } })
  expect(tries()).toBe(8)
})

test('an answer without an id is no registry’s', async () => {
  const fetch = async () => new Response('{}')
  await expect(registerSchema({ url: 'http://x' }, 'prediction', 't', { fetch })).rejects.toThrow(SchemaRefused)
})
