import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { LogUnavailable } from '../event-log.ts'
import { KafkaClient } from './kafka-client.ts'
import { brokerError, kafkajs } from './kafkajs-internals.ts'

/** Takes connections and never says a word, as a frozen broker does. */
const sockets = new Set<Socket>()
const mute = createServer((socket) => {
  sockets.add(socket)
  socket.on('error', () => {})
  socket.on('close', () => sockets.delete(socket))
  socket.resume()
})
let brokers: string[]
beforeAll(async () => {
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
  brokers = [`127.0.0.1:${(mute.address() as { port: number }).port}`]
})
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  mute.close()
})
const newClient = () => new KafkaClient({ brokers, clientId: 'test' }, systemClock)
const soon = (ms: number) => systemClock.monotonic() + ms

test('a broker that never answers is given up at the deadline, with a word about what was wanted', async () => {
  const client = newClient()
  const asked = client.attempt('reading a/0', soon(300), () => client.leader('a', 0))
  await expect(asked).rejects.toThrow(LogUnavailable)
  await expect(asked).rejects.toThrow('reading a/0')
  client.close()
})

test('work that hangs is given up at the deadline, and nothing is tried again behind it', async () => {
  const client = newClient()
  let tries = 0
  const hanging = client.attempt('hanging', soon(100), () => {
    tries += 1
    return new Promise(() => {})
  })
  await expect(hanging).rejects.toThrow(LogUnavailable)
  expect(tries).toBe(1)
  client.close()
})

test('what the broker may do later is tried again, what it refuses is not', async () => {
  const client = newClient()
  const notLeader = 6
  const notAuthorised = 29
  const answers = [notLeader, notLeader, 0]
  const tried = await client.attempt('trying', soon(5_000), async () => {
    const code = answers.shift()!
    if (code !== 0) throw brokerError(code)
    return answers.length
  })
  expect(tried).toBe(0)
  let refusals = 0
  const refused = client.attempt('asking', soon(5_000), async () => {
    refusals += 1
    throw brokerError(notAuthorised)
  })
  await expect(refused).rejects.toThrow('TOPIC_AUTHORIZATION_FAILED')
  expect(refusals).toBe(1)
  client.close()
})

test('a closed client answers at once', async () => {
  const client = newClient()
  const waiting = client.attempt('waiting', soon(60_000), () => client.leader('a', 0))
  client.close()
  await expect(waiting).rejects.toThrow('the log is closed')
  await expect(client.attempt('asking', soon(60_000), async () => 1)).rejects.toThrow('the log is closed')
})

test('a client that was dropped while it connected leaves nothing open, though KafkaJS tries again', async () => {
  await expect.poll(() => sockets.size).toBe(0)
  const client = newClient()
  const asked = client.attempt('asking', soon(60_000), () => client.leader('a', 0))
  asked.catch(() => {})
  await expect.poll(() => sockets.size).toBe(1)
  client.heed(new (kafkajs().KafkaJSConnectionError)('the line broke'), null, 'asking')
  client.close()
  await expect(asked).rejects.toThrow('the log is closed')
  await systemClock.sleep(500) // KafkaJS waits 50 ms before it tries again
  expect(sockets.size).toBe(0)
})
