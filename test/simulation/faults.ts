import { contentHash, type LogRecord, topics } from '@interlock/contracts'
import type { SimulatedPlace } from '@interlock/runtime'
import { deployments, keysetOf, manifestOf, policyDocument, policySource, versionOf } from './cast.ts'
import type { FaultKind } from './fault-kinds.ts'
import { forge, unknownOrder } from './forge.ts'
import { hostileEvent, hostileHeader } from './hostile.ts'
import { oddNumbers, oddTimes } from './odd-rows.ts'
import { agentPart, deploymentShards, profilerShards } from './parts.ts'
import type { Mood } from './platform.ts'
import { trim } from './retention.ts'
import { Service } from './service.ts'
import { Chance } from './streams.ts'
import { Traps } from './traps.ts'
import type { Spell } from './weather.ts'
import type { World } from './world.ts'

/** What happened of each kind. */
export class Faults {
  readonly happened = new Map<string, number>()
  readonly kinds: readonly FaultKind[]
  private readonly world: World
  private isOn = true
  private readonly traps: Traps
  /** Commands, facts and requests that were seen, to be sent again. */
  private readonly seen: LogRecord[] = []

  constructor(world: World, kinds: readonly FaultKind[]) {
    this.world = world
    this.kinds = kinds
    this.traps = new Traps(world, (row) => this.note(row))
    world.onRecord = (record) => this.remember(record)
    for (const kind of kinds) this.start(kind, new Chance(world.seed, `fault ${kind}`))
  }

  /** No new faults; what was broken is mended. */
  stop(): void {
    this.isOn = false
    const { world } = this
    this.traps.clear()
    for (const disk of world.disks.values()) disk.isFull = false
    world.weather.calm()
    world.agentCutSince = null
    world.sink.mood = 'well'
    for (const deployment of deployments) world.platform(deployment).recover()
    for (const traffic of world.traffics) {
      traffic.isSilent = false
      traffic.delayMs = 0
    }
    for (const group of world.groups.values()) {
      group.isConfused = false
      group.rebalance()
    }
    for (const service of world.services) {
      service.process.skewMs = 0
      if (service.process.isAlive && !service.process.isRunning) service.wake()
    }
  }

  private note(row: string, count = 1): void {
    this.happened.set(row, (this.happened.get(row) ?? 0) + count)
  }

  /** Again and again, about every `everyMs`; half as often at a calm pace, where all else is five times as rare. */
  private often(chance: Chance, everyMs: number, work: () => void): void {
    const again = (): void => {
      const everyNowMs = everyMs * (this.world.pace.name === 'brisk' ? 1 : 2)
      this.world.simulation.after(chance.between(everyNowMs * 0.3, everyNowMs * 1.7), () => {
        if (!this.isOn || this.world.isOver) return
        work()
        again()
      })
    }
    again()
  }

  /** For a while: `begin` now and `end` later, also when faults have stopped meanwhile. */
  private spell(begin: () => void, end: () => void, ms: number): void {
    begin()
    this.world.simulation.after(ms, end)
  }

  private start(kind: FaultKind, chance: Chance): unknown {
    const { world } = this
    const factor = world.pace.factor
    const services = () => world.services.filter(({ isRunning }) => isRunning)
    const someone = (): Service | undefined => (services().length > 0 ? chance.of(services()) : undefined)
    const deployment = () => chance.of(deployments)
    switch (kind) {
      case 'kill':
        return this.often(chance, 12_000, () => {
          const service = someone()
          if (service === undefined) return
          const downMs = chance.between(300, 4_000)
          const dice = chance.random()
          if (dice < 0.35) {
            this.note('F1 killed at any moment')
            service.kill(downMs)
            return
          }
          // Armed: it dies a few milliseconds around its next append of that kind: before it lands, after it, after the answer.
          const [row, covers] = chance.of([
            ['F1 killed at an append', ({ topic }: SimulatedPlace) => topic.startsWith('log.')],
            ['F4 killed between the parts of a snapshot', ({ topic }: SimulatedPlace) => topic === topics.snapshots],
            [
              'F5 killed at a publication',
              ({ topic }: SimulatedPlace) => topic === topics.commands || topic === topics.alerts,
            ],
            ['F6 an agent killed at a fact', ({ topic }: SimulatedPlace) => topic === topics.facts],
          ] as const)
          if (row.startsWith('F6')) {
            if (chance.is(0.5)) this.traps.atPlatform(chance)
            this.traps.atAppend(world.service('agent'), row, covers, chance)
          } else this.traps.atAppend(service, row, covers, chance)
        })
      case 'pause':
        return this.often(chance, 25_000, () => {
          this.note('F2 asleep and woken')
          someone()?.pause(chance.is(0.5) ? chance.between(500, 9_000) : chance.between(9_000, 60_000))
        })
      case 'appends':
        world.weather.appendsAreOdd = true
        return
      case 'term':
        return this.often(chance, 40_000, () => {
          const service = someone()
          if (service === undefined || this.isStormy) return
          this.note('F7 told to end')
          const { name } = service.process
          void service.term(chance.between(300, 2_000)).then((inTime) => {
            if (!inTime && !this.isStormy && this.kinds.every((each) => ['term', 'times', 'silence'].includes(each))) {
              world.accuse('L', name, 'did not end within 10 s')
            }
          })
        })
      case 'rebalance':
        return this.often(chance, 30_000, () => {
          const group = chance.of([...world.groups.values()])
          if (chance.is(0.5)) {
            this.note('F2 two that own one shard')
            return this.spell(
              () => {
                group.isConfused = true
                group.rebalance()
              },
              () => {
                group.isConfused = false
                group.rebalance()
              },
              chance.between(5_000, 40_000),
            )
          }
          const times = chance.is(0.3) ? 20 : 1
          this.note('F8 rebalances', times)
          for (let index = 0; index < times; index++) world.simulation.after(index * 3_000, () => group.rebalance())
        })
      case 'two agents': {
        for (const each of deployments) world.platform(each).keepsOrder = true
        const second = (): void => {
          if (world.services.some(({ name }) => name === 'agent-2')) return
          this.note('F9 a second live agent')
          world.services.push(
            new Service(world, 'agent-2', [], new Chance(world.seed, 'service agent-2'), (process, signal) =>
              agentPart(world, process, signal),
            ),
          )
        }
        world.simulation.after(chance.between(5_000, 60_000), second)
        return
      }
      case 'platform':
        return this.often(chance, 45_000, () => {
          const platform = world.platform(deployment())
          if (platform.mood !== 'well') return
          const mood = chance.of<Mood>(['slow', 'away', 'refuses', 'lies'])
          this.note(`F9 a platform that ${mood === 'slow' || mood === 'away' ? `is ${mood}` : mood}`)
          world.tell(platform.deployment, `platform: ${mood}`)
          const set = () => {
            platform.mood = mood
          }
          this.spell(set, () => platform.recover(), chance.between(5_000, 50_000))
        })
      case 'damaged':
        return this.often(chance, 60_000, () => {
          const platform = world.platform(deployment())
          const ms = chance.between(5_000, 60_000)
          const strike = (): void => {
            if (platform.mood !== 'well') return
            this.note('F26 a target that is damaged')
            world.tell(platform.deployment, 'platform: damaged')
            platform.mood = 'damaged'
            world.simulation.after(ms, () => platform.recover())
          }
          // Half of the time at the moment of a command: what was whole when it was given is not when it is carried out.
          if (chance.is(0.5)) this.traps.withNextCommand.set(platform.deployment, strike)
          else strike()
        })
      case 'disk full':
        return this.often(chance, 50_000, () => {
          const disk = world.diskOf(chance.of([world.service('agent'), world.service('notifier')]).process)
          this.note('F28 a full disk')
          const set = (isFull: boolean) => () => {
            disk.isFull = isFull
          }
          this.spell(set(true), set(false), chance.between(3_000, 60_000) * factor)
        })
      case 'duplicates':
        return this.often(chance, 4_000, () => {
          const record = this.seen.at(-1 - chance.below(6))
          if (record === undefined) return
          const times = chance.is(0.1) ? 100 : 1 + chance.below(3)
          this.note('F10 duplicates', times)
          for (let index = 0; index < times; index++) this.again(record)
        })
      case 'reorder':
        return this.often(chance, 6_000, () => {
          if (this.seen.length === 0) return
          this.note('F10 old commands, facts and requests again')
          const commands = this.seen.filter(({ topic }) => topic === topics.commands)
          this.again(chance.of(commands.length > 0 && chance.is(0.4) ? commands : this.seen))
        })
      case 'times':
        return this.often(chance, 3_000, () => oddTimes(world, chance, (row) => this.note(row)))
      case 'clocks':
        return this.often(chance, 20_000, () => {
          this.note('F12 host clocks jump')
          const service = someone()
          if (service !== undefined) service.process.skewMs = chance.between(-600_000, 600_000)
          if (chance.is(0.3)) {
            this.note('F12 a new leader is behind')
            const set = () => {
              world.weather.leaderSkew = -chance.between(0, 6_000)
            }
            this.spell(
              set,
              () => {
                world.weather.leaderSkew = null
              },
              chance.between(3_000, 20_000),
            )
          }
        })
      case 'outage':
        return this.often(chance, 60_000, () => {
          const all = chance.is(0.4)
          const topic = chance.of([
            'log.profiler',
            'log.evaluator',
            'log.governor',
            'log.fleet',
            topics.commands,
            topics.facts,
            topics.snapshots,
          ])
          this.note(all ? 'F13 all brokers away' : 'F13 a leader away')
          const lands = chance.is(0.5)
          this.blow(
            { covers: (place) => all || place.topic === topic, what: chance.is(0.5) ? 'refused' : 'hangs', lands },
            chance.between(1_000, all ? 60_000 : 30_000),
          )
        })
      case 'network':
        return this.often(chance, 30_000, () => {
          const service = someone()
          if (service === undefined) return
          const own = (place: SimulatedPlace): boolean => place.process === service.process.name
          const what = chance.of(['slow', 'hangs', 'refused'] as const)
          this.note(`F14 a process ${what === 'slow' ? 'far from' : 'cut off from'} the log`)
          this.blow({ covers: own, what, lands: chance.is(0.5) }, chance.between(2_000, 30_000))
        })
      case 'agent cut off':
        return this.often(chance, 70_000, () => {
          if (world.agentCutSince !== null) return
          this.note('F15 the agent cut off')
          const own = (place: SimulatedPlace): boolean => place.process.startsWith('agent#')
          const ms = chance.between(10_000, 150_000) * factor
          world.agentCutSince = world.simulation.now
          this.blow({ covers: own, what: 'refused', lands: false }, ms)
          world.simulation.after(ms, () => {
            world.agentCutSince = null
          })
        })
      case 'hostile':
        return this.often(chance, 3_000, () => {
          this.note('F18 hostile records')
          const { value, headers } = hostileEvent(chance, deployment(), Math.floor(world.simulation.now))
          world.servers.land(topics.predictions, chance.below(profilerShards), [{ value, headers }])
          if (chance.is(0.1)) {
            const junk = { value: Buffer.from([9, 9, 9]), headers: { [hostileHeader]: '1' } }
            world.servers.land(topics.alerts, chance.below(deploymentShards), [junk])
          }
        })
      case 'numbers':
        return this.often(chance, 3_000, () => oddNumbers(world, chance, (row) => this.note(row)))
      case 'silence':
        return this.often(chance, 60_000, () => {
          this.note('F21 silence')
          const ones = chance.is(0.3) ? world.traffics : [chance.of(world.traffics)]
          const set = (isSilent: boolean) => () => {
            for (const traffic of ones) traffic.isSilent = isSilent
          }
          this.spell(set(true), set(false), chance.between(3_000, 40_000) * factor)
        })
      case 'backlog':
        return this.often(chance, 100_000, () => {
          this.note('F22 backlog')
          const name = chance.of(['profiler', 'evaluator', 'governor'])
          const ms = chance.is(0.3) ? chance.between(200_000, 300_000) : chance.between(20_000, 60_000)
          for (const service of world.services) if (service.name.startsWith(name)) service.kill(ms)
        })
      case 'same moment':
        return this.often(chance, 30_000, () => {
          this.note('F23 two people at once')
          const at = deployment()
          const ask = { deployment: at, reason: 'at once' }
          const acts = [
            ['cho', { kind: 'rollback', ...ask }],
            ['ada', { kind: 'hold', ...ask }],
            ['cho', { kind: 'release-hold', ...ask }],
            ['dan', { kind: 'halt', ...ask }],
            ['dan', { kind: 'restore', ...ask }],
            ['cho', { kind: 'restore', ...ask }],
          ] as const
          for (const [by, request] of [chance.of(acts), chance.of(acts)]) void world.people.ask(by, at, request)
        })
      case 'forged':
        return this.often(chance, 4_000, () => {
          this.note('F24 forged')
          forge(world, chance)
        })
      case 'unknown order':
        return this.often(chance, 120_000, () => {
          if (unknownOrder(world, chance)) this.note('F25 a fact of an unknown order')
        })
      case 'policy':
        return this.often(chance, 30_000, () => {
          const at = deployment()
          this.note('F27 hostile policies')
          const source = chance.is(0.5)
            ? policySource(world.pace).replace('role: gate', 'role: guard')
            : policySource(world.pace).replace('policy: small', `policy: small-${chance.below(3)}`)
          const valid = policyDocument(
            'eve',
            policySource(world.pace).replace('policy: small', `policy: eve-${chance.below(3)}`),
          )
          const document = chance.is(0.5) ? { ...valid, source } : valid
          const hash = contentHash(document)
          void world.people
            .ask('eve', at, { kind: 'document', document })
            .then(() => world.people.approve('eve', at, hash))
            .then(() =>
              world.people.ask('eve', at, {
                kind: 'rollout',
                deployment: at,
                candidate: versionOf(at, 9),
                manifest: contentHash(manifestOf(versionOf(at, 9))),
                policy: hash,
              }),
            )
        })
      case 'upgrade':
        return this.often(chance, 60_000, () => {
          this.note('F31 upgrade')
          world.build = `build ${2 + chance.below(3)}`
          const service = someone()
          if (service !== undefined) void service.term(500)
        })
      case 'retention':
        return this.often(chance, 30_000, () => {
          if (trim(world, chance)) this.note('F13 retention')
        })
      case 'pager':
        return this.often(chance, 40_000, () => {
          if (chance.is(0.5)) return this.traps.atPager(chance)
          this.note('F30 the pager is away')
          const set = () => {
            world.sink.mood = chance.of(['slow', 'away'])
          }
          this.spell(
            set,
            () => {
              world.sink.mood = 'well'
            },
            chance.between(3_000, 30_000),
          )
        })
      case 'keys':
        return this.often(chance, 50_000, () => {
          this.note('F24 keysets')
          const at = deployment()
          // An older one, rightly signed; or a newer one that mallory signed.
          if (chance.is(0.5)) {
            void world.people.keyset(keysetOf(0), at)
            void world.people.ask('vic', at, { kind: 'hold', deployment: at, reason: 'as of old' })
          } else world.forgeKeyset(at)
        })
    }
  }

  private get isStormy(): boolean {
    return this.world.weather.spells.size > 0 || this.world.weather.appendsAreOdd
  }

  private blow(spell: Spell, ms: number): void {
    this.world.tell('weather', `${spell.what} for ${Math.round(ms)} ms`)
    this.spell(
      () => this.world.weather.spells.add(spell),
      () => this.world.weather.spells.delete(spell),
      ms,
    )
  }

  private remember(record: LogRecord): void {
    this.traps.landed(record)
    if (record.topic !== topics.facts && record.topic !== topics.commands && record.topic !== topics.requests) return
    if (record.headers[hostileHeader] !== undefined) return
    this.seen.push(record)
    if (this.seen.length > 400) this.seen.splice(0, 200)
  }

  private again({ topic, partition, key, value, headers }: LogRecord): void {
    this.world.servers.land(topic, partition, [{ key, value, headers }])
  }
}
