/** A proxy before one broker that can swallow answers: the broker has done it, and nobody is told. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const produceKey = 0

export interface SwallowingProxy {
  readonly port: number
  /** Lets the next so many appends through, drops their answers and cuts the line. */
  swallow(count: number): void
  /**
   * Appends to a topic take so much longer from now on, and as on a broker everything behind one on its connection waits.
   */
  slow(topic: string, ms: number): void
  /** Answers dropped so far. */
  readonly swallowed: number
  close(): Promise<void>
}

/** @param target port of the broker on the loopback; it need not have started yet */
export async function swallowingProxy(target: number): Promise<SwallowingProxy> {
  let left = 0
  let swallowed = 0
  let slowed: { readonly topic: string; readonly ms: number } | null = null
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    const condemned = new Set<number>()
    let before: Promise<unknown> = Promise.resolve()
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    frames(client, (frame) => {
      const isAppend = frame.readInt16BE(4) === produceKey
      if (isAppend && left > 0) {
        left -= 1
        condemned.add(frame.readInt32BE(8))
      }
      const copy = Buffer.from(frame)
      const waitMs = isAppend && slowed !== null && frame.includes(slowed.topic) ? slowed.ms : 0
      before = before.then(() => (waitMs > 0 ? sleep(waitMs) : undefined)).then(() => void upstream.write(copy))
    })
    frames(upstream, (frame) => {
      if (condemned.has(frame.readInt32BE(4))) {
        swallowed += 1
        client.destroy()
      } else client.write(frame)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    swallow: (count) => {
      left = count
    },
    slow: (topic, ms) => {
      slowed = { topic, ms }
    },
    get swallowed() {
      return swallowed
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Whole requests or answers, with the length before them. */
function frames(socket: Socket, each: (frame: Buffer) => void): void {
  let buffered = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk])
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
      const size = 4 + buffered.readInt32BE(0)
      each(buffered.subarray(0, size))
      buffered = buffered.subarray(size)
    }
  })
}
