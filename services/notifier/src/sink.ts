import type { Message } from './message.ts'

/** A place where people hear of alerts. `deliver` resolves when the receiver has it, and throws when it has not. */
export interface Sink {
  readonly name: string
  deliver(message: Message): Promise<void>
}

/** Writes each alert as one structured line of the service's own log. */
export function logSink(write: (message: Message) => void): Sink {
  return {
    name: 'log',
    deliver: async (message) => write(message),
  }
}
