import { randomUUID } from 'node:crypto'
import type { Changed } from './projection.ts'

/** A change that readers of a topic should look at. Topics: `fleet`, `d:<deployment>`. */
export interface Change {
  readonly id: string
  readonly topic: string
  readonly changed: readonly Changed[]
}

/** Changes that a reader may have missed and still resume after. */
const keptChanges = 2_048
/** Outs within this time are told of together. */
const gatherMs = 50

/** Numbers changes of the projection and hands them to whoever listens. */
export class Changes {
  /** Another start of the console counts anew: its cursors are others. */
  readonly #start = randomUUID().slice(0, 8)
  #number = 0
  #kept: Change[] = []
  readonly #gathered = new Map<string, Set<Changed>>()
  #timer: NodeJS.Timeout | null = null
  readonly #listeners = new Set<(change: Change) => void>()

  get cursor(): string {
    return `${this.#start}.${this.#number}`
  }

  get listeners(): number {
    return this.#listeners.size
  }

  note(deployment: string, changed: Changed): void {
    for (const topic of changed === 'state' ? ['fleet', `d:${deployment}`] : [`d:${deployment}`]) {
      const kinds = this.#gathered.get(topic) ?? new Set()
      this.#gathered.set(topic, kinds.add(changed))
    }
    this.#timer ??= setTimeout(() => this.#tell(), gatherMs).unref()
  }

  /** The changes after a cursor; null where they are not known any more, so that the reader must load afresh. */
  after(cursor: string): readonly Change[] | null {
    const [start, text = ''] = cursor.split('.')
    const number = Number(text)
    const oldest = this.#number - this.#kept.length
    if (start !== this.#start || !/^\d{1,15}$/.test(text) || number < oldest || number > this.#number) return null
    return this.#kept.slice(number - oldest)
  }

  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#listeners.clear()
  }

  #tell(): void {
    this.#timer = null
    for (const [topic, kinds] of this.#gathered) {
      this.#number++
      const change = { id: this.cursor, topic, changed: [...kinds] }
      this.#kept.push(change)
      for (const listener of this.#listeners) listener(change)
    }
    this.#gathered.clear()
    if (this.#kept.length > keptChanges * 2) this.#kept = this.#kept.slice(-keptChanges)
  }
}
