import net from 'node:net'
import tls from 'node:tls'
import type { InternalConnection } from './kafkajs-internals.ts'

const socketBufferBytes = 256 * 1024
const keepAliveMs = 60_000
/** Far above any answer that is asked for; a length beyond it is not Kafka's. */
const maxFrameBytes = 256 * 1_048_576
const lengthBytes = 4
const correlationBytes = 4

/** Sockets that read into one buffer of their own instead of a new one each time: half the cost of a read. */
export function reusingSockets({
  host,
  port,
  ssl,
  onConnect,
}: {
  host: string
  port: number
  ssl?: tls.ConnectionOptions | null
  onConnect: () => void
}): net.Socket {
  const onread = {
    buffer: Buffer.allocUnsafeSlow(socketBufferBytes),
    callback: (count: number, buffer: Uint8Array): boolean => {
      socket.emit('data', (buffer as Buffer).subarray(0, count))
      return true
    },
  }
  const options = { host, port, ...(net.isIP(host) ? {} : { servername: host }), ...ssl, onread }
  const socket: net.Socket = ssl ? tls.connect(options, onConnect) : net.connect({ host, port, onread }, onConnect)
  socket.setKeepAlive(true, keepAliveMs)
  return socket
}

/**
 * Puts our framing into a connection of KafkaJS: each answer is filled into one buffer of its exact size and handed on
 * unparsed, where the stock code joins and cuts buffers chunk by chunk. SASL is left to the stock code.
 */
export function frameAnswers(connection: InternalConnection): InternalConnection {
  const stock = connection.processData.bind(connection)
  const queue = connection.requestQueue
  const check = queue.scheduleCheckPendingRequests.bind(queue)
  // The stock queue sets a timer after each answer (with a negative time, which Node warns of), needed or not.
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) check()
  }
  const length = Buffer.alloc(lengthBytes)
  let socket: unknown
  let lengthFilled = 0
  let frame: Buffer | null = null
  let filled = 0

  connection.processData = (chunk) => {
    // The chunk is the socket's own buffer, which the next read overwrites; the stock code keeps chunks.
    if (connection.authHandlers) return stock(Buffer.from(chunk))
    if (socket !== connection.socket) {
      socket = connection.socket
      lengthFilled = 0
      frame = null
    }
    for (let at = 0; at < chunk.length; ) {
      if (frame === null) {
        const part = chunk.copy(length, lengthFilled, at, at + lengthBytes - lengthFilled)
        at += part
        lengthFilled += part
        if (lengthFilled < lengthBytes) return
        const size = length.readInt32BE(0)
        if (size < correlationBytes || size > maxFrameBytes) {
          connection.socket?.destroy(new Error(`an answer of ${size} bytes: this is no Kafka broker`))
          return
        }
        frame = Buffer.allocUnsafeSlow(size)
        filled = 0
      }
      const part = chunk.copy(frame, filled, at)
      at += part
      filled += part
      if (filled < frame.length) return
      const whole = frame
      frame = null
      lengthFilled = 0
      queue.fulfillRequest({
        correlationId: whole.readInt32BE(0),
        payload: whole.subarray(correlationBytes),
        size: whole.length,
      })
    }
  }
  return connection
}

/** Ends a connection now: everything that waits on it is rejected, nothing is waited for. */
export function cut(connection: InternalConnection, why: Error): void {
  connection.rejectRequests(why)
  connection.authHandlers?.onError()
  connection.disconnect().catch(() => {})
  connection.socket?.destroy()
}
