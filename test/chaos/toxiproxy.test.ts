import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { howToRunToxiproxy, type Line, ownToxiproxy } from './toxiproxy.ts'

const toxiproxy = await ownToxiproxy()
afterAll(() => toxiproxy?.stop())

if (toxiproxy === null) {
  test('toxiproxy could not be run', () => {
    expect(process.env.INTERLOCK_REQUIRE, howToRunToxiproxy).not.toBe('all')
  })
} else {
  test('a line is slow, narrow, silent, reset or cut while it is poisoned, and whole again when it is healed', async () => {
    const echo = await echoServer()
    const line = await toxiproxy.line('echo', (echo.address() as { port: number }).port)
    expect(await roundTrip(line)).toBe('hello')

    await line.poison({ kind: 'latency', latencyMs: 200, jitterMs: 0 })
    const sentAt = performance.now()
    expect(await roundTrip(line)).toBe('hello')
    expect(performance.now() - sentAt).toBeGreaterThan(390)
    await line.heal()

    await line.poison({ kind: 'silence', of: 'answers' })
    expect(await roundTrip(line, 300)).toBe('nothing')
    await line.heal()

    await line.poison({ kind: 'reset', afterMs: 0 })
    expect(await roundTrip(line, 1_000)).toBe('closed')
    await line.heal()

    await line.poison({ kind: 'bandwidth', kilobytesPerS: 1 })
    expect(await roundTrip(line, 300, 'x'.repeat(4_000))).toBe('nothing')
    await line.heal()

    await line.cut()
    expect(await roundTrip(line, 1_000)).toBe('closed')
    await line.heal()
    expect(await roundTrip(line)).toBe('hello')
    echo.close()
  })
}

async function echoServer(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return server
}

/** What came back for what was sent, or how nothing did. */
async function roundTrip(line: Line, withinMs = 5_000, text = 'hello'): Promise<string> {
  const socket: Socket = connect(line.port, '127.0.0.1')
  let back = ''
  const answer = new Promise<string>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      back += chunk.toString()
      if (back.length >= text.length) resolve(back)
    })
    socket.on('close', () => resolve('closed'))
    socket.on('error', () => resolve('closed'))
  })
  socket.write(text)
  const said = await Promise.race([answer, sleep(withinMs, 'nothing')])
  socket.destroy()
  return said
}
