import { setTimeout as sleep } from 'node:timers/promises'
import { type Service, startService } from '../process/service.ts'

/** How soon a supervisor starts a process again that ended by itself. */
const restartMs = 500
const readyWithinMs = 60_000

export interface Role {
  readonly service: string
  readonly config: string
  readonly env: Readonly<Record<string, string>>
  /** Besides, of every process that takes the place of the first one. */
  readonly envOfSuccessors?: Readonly<Record<string, string>>
}

/** A kill of a process that owned shards: how soon somebody else goes on is measured by it. */
export interface Killed {
  readonly at: number
  readonly name: string
  readonly owned: readonly { readonly processor: string; readonly shards: readonly number[] }[]
}

/** Processes of services under a supervisor that starts each again whenever it ends. */
export class Cast {
  readonly killed: Killed[] = []
  /** How SIGTERM ended processes, also while the broker was away. */
  readonly left: { readonly name: string; readonly code: number | null; readonly ms: number }[] = []
  /** What processes said last that ended by themselves, which none does lightly. */
  readonly endedByThemselves: { readonly name: string; readonly code: number | null; readonly said: string }[] = []
  private readonly members: Member[]

  constructor(roles: readonly Role[]) {
    const seen = new Map<string, number>()
    this.members = roles.map((role) => {
      const number = seen.get(role.service) ?? 0
      seen.set(role.service, number + 1)
      return new Member(`${role.service}-${number}`, role, (member, code) => {
        this.endedByThemselves.push({ name: member.name, code, said: member.lastWords() })
      })
    })
    process.once('exit', () => this.remove())
  }

  get names(): readonly string[] {
    return this.members.map(({ name }) => name)
  }

  /** Resolves once all run. */
  async start(): Promise<void> {
    for (const member of this.members) member.start()
    await Promise.all(this.members.map((member) => member.runs()))
  }

  /** The member of that place, or the next one that nothing is being done to. */
  private free(place: number): Member {
    const from = [...this.members.slice(place), ...this.members.slice(0, place)]
    return from.find((member) => !member.isBusy) ?? from[0]!
  }

  /** kill -9, and a new one at once. */
  kill(place: number): void {
    const member = this.free(place)
    this.killed.push({ at: Date.now(), name: member.name, owned: member.owned() })
    member.signal('SIGKILL')
    member.start()
  }

  /** kill -9 of the process of a service that owns most. */
  killOwner(service: string): void {
    const shards = (member: Member): number => member.owned().reduce((sum, owned) => sum + owned.shards.length, 0)
    const [most] = this.members
      .filter(({ name }) => name.startsWith(`${service}-`))
      .toSorted((a, b) => shards(b) - shards(a))
    if (most === undefined) throw new Error(`there is no process of ${service}`)
    this.kill(this.members.indexOf(most))
  }

  /** Resolves once it was thawed. */
  async freeze(place: number, ms: number): Promise<void> {
    await this.free(place).during(async (member) => {
      member.signal('SIGSTOP')
      await sleep(ms)
      member.signal('SIGCONT')
    })
  }

  /** Resolves once it is back. */
  async leave(place: number, ms: number): Promise<void> {
    await this.free(place).during(async (member) => {
      const ended = await member.end()
      if (ended !== null) this.left.push(ended)
      await sleep(ms)
      member.start()
    })
  }

  /** Ends all as an operator does. @returns how each that ran ended */
  async end(): Promise<Cast['left']> {
    return (await Promise.all(this.members.map((member) => member.end()))).filter((ended) => ended !== null)
  }

  /** Whatever still runs is killed. */
  remove(): void {
    for (const member of this.members) member.abandon()
  }
}

class Member {
  readonly name: string
  isBusy = false
  private isFirst = true
  private readonly role: Role
  private readonly onEnd: (member: Member, code: number | null) => void
  private now: Service | null = null

  constructor(name: string, role: Role, onEnd: (member: Member, code: number | null) => void) {
    this.name = name
    this.role = role
    this.onEnd = onEnd
  }

  start(): void {
    const { service, config, env, envOfSuccessors } = this.role
    const started = startService(service, config, this.isFirst ? env : { ...env, ...envOfSuccessors })
    this.isFirst = false
    this.now = started
    void started.ended.then(async (code) => {
      // Another one stands in its place, or nobody should.
      if (this.now !== started) return
      this.onEnd(this, code)
      await sleep(restartMs)
      if (this.now === started) this.start()
    })
  }

  async runs(): Promise<void> {
    const limit = sleep(readyWithinMs, null, { ref: false }).then(() => {
      throw new Error(`${this.name} does not run after ${readyWithinMs} ms: ${this.lastWords()}`)
    })
    await Promise.race([this.now?.ready, limit])
  }

  owned(): Killed['owned'] {
    const processors = ['profiler', 'evaluator', 'governor', 'fleet']
    return processors
      .map((processor) => ({ processor, shards: this.now?.owned(processor) ?? [] }))
      .filter(({ shards }) => shards.length > 0)
  }

  signal(signal: NodeJS.Signals): void {
    const { now } = this
    if (signal === 'SIGKILL') this.now = null
    now?.child.kill(signal)
  }

  async during(what: (member: Member) => Promise<void>): Promise<void> {
    this.isBusy = true
    try {
      await what(this)
    } finally {
      this.isBusy = false
    }
  }

  /** @returns null where nothing ran that could have handed over */
  async end(): Promise<Cast['left'][number] | null> {
    const { now, name } = this
    this.now = null
    if (now === null || now.child.exitCode !== null) return null
    const runs = now.events.some(({ event }) => event === 'ready')
    const askedAt = performance.now()
    const code = await now.stop()
    return runs ? { name, code, ms: Math.round(performance.now() - askedAt) } : null
  }

  abandon(): void {
    const { now } = this
    this.now = null
    now?.child.kill('SIGKILL')
  }

  lastWords(): string {
    const lines = (this.now?.stderr() ?? '').split('\n').filter((line) => line !== '' && !/^\s+at /.test(line))
    return lines.slice(-2).join('\n').slice(0, 500)
  }
}
