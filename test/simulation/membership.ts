import type { Membership, SimulatedProcess } from '@interlock/runtime'
import type { Chance } from './streams.ts'

/** A member that said nothing for so long has lost its shards; as a broker's session timeout. */
const sessionMs = 10_000
const rejoinMs = 1_500

interface Member {
  readonly process: SimulatedProcess
  readonly listeners: Set<(owned: readonly number[]) => void>
  owned: readonly number[]
  isExpelled: boolean
}

/**
 * A consumer group as a broker keeps it: who should own which shard. It finds out late that a member has died or sleeps, a
 * sleeper finds out late that it was expelled, and while `isConfused` it tells several members that they own the same shard.
 */
export class Group {
  readonly name: string
  readonly shards: number
  isConfused = false
  private readonly chance: Chance
  private members: Member[] = []
  private turn = 0

  constructor(name: string, shards: number, chance: Chance) {
    this.name = name
    this.shards = shards
    this.chance = chance
  }

  /** Membership of one process: it is one member, however many of its parts listen. */
  of(process: SimulatedProcess): Membership {
    return {
      on: (change) => {
        const member = this.members.find((each) => each.process === process) ?? this.join(process)
        member.listeners.add(change)
        if (member.owned.length > 0) change(member.owned)
        return () => {
          member.listeners.delete(change)
          if (member.listeners.size > 0) return
          this.members = this.members.filter((each) => each !== member)
          this.rebalance()
        }
      },
    }
  }

  private join(process: SimulatedProcess): Member {
    const member: Member = { process, listeners: new Set(), owned: [], isExpelled: false }
    this.members.push(member)
    process.simulation.after(this.chance.between(20, 200), () => this.rebalance())
    return member
  }

  /** The broker has not heard from a process: after the session it is expelled, if it is still silent. */
  fallsSilent(process: SimulatedProcess): void {
    process.simulation.after(sessionMs, () => {
      if (process.isRunning) return
      if (process.isAlive) {
        for (const member of this.members) if (member.process === process) member.isExpelled = true
      } else this.members = this.members.filter((member) => member.process !== process)
      this.rebalance()
    })
  }

  /** A sleeper is back: it joins again. */
  speaks(process: SimulatedProcess): void {
    process.simulation.after(rejoinMs, () => {
      if (!process.isRunning) return
      let isBack = false
      for (const member of this.members) {
        if (member.process !== process || !member.isExpelled) continue
        member.isExpelled = false
        isBack = true
      }
      if (isBack) this.rebalance()
    })
  }

  /** Deals the shards anew, to others than before. */
  rebalance(): void {
    const able = this.members.filter(({ isExpelled }) => !isExpelled)
    this.turn += this.chance.below(3)
    for (const [index, member] of able.entries()) {
      const owned = Array.from({ length: this.shards }, (_, shard) => shard).filter(
        (shard) => (shard + this.turn) % able.length === index || (this.isConfused && this.chance.is(0.5)),
      )
      this.tell(member, owned)
    }
    for (const member of this.members) if (member.isExpelled) this.tell(member, [])
  }

  private tell(member: Member, owned: readonly number[]): void {
    if (member.owned.length === owned.length && member.owned.every((shard, index) => shard === owned[index])) return
    member.owned = owned
    member.process.simulation.after(this.chance.between(1, 30), () =>
      member.process.deliver(() => {
        for (const change of member.listeners) change(member.owned)
      }),
    )
  }
}
