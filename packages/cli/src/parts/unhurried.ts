import { setImmediate } from 'node:timers/promises'

/** Entries, records or the like that are taken in one go. */
const atOnce = 16

/**
 * The same values, with room for everything else in this process between them. An embedded log answers at once, so that a
 * long loop over it would let nothing else run: no step, no heartbeat, no answer.
 */
export async function* unhurried<Value>(values: AsyncIterable<Value> | Iterable<Value>): AsyncGenerator<Value> {
  let taken = 0
  for await (const value of values) {
    if (++taken % atOnce === 0) await setImmediate()
    yield value
  }
}
