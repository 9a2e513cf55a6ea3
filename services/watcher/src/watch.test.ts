import { describe, expect, test } from 'vitest'
import { hear } from './heard.ts'
import { watchTimes } from './rules.ts'
import { Beating, rulesOf, shardsAt, Watching } from './testing.ts'
import { troubledUnits } from './watch.ts'

const second = 1_000

/** `up` and the other watcher beat each second, the probe is verified each minute; `change` says what is different. */
function story(seconds: number, change: (at: number, it: Story) => void = () => {}): Story {
  const it: Story = {
    a: new Watching(rulesOf('watcher-a')),
    up: new Beating('up'),
    peer: new Beating('watcher-b'),
    upBeats: true,
    shardsMove: true,
    probeWorks: true,
    peerBeats: true,
    peerPaged: [],
    pagedAt: [],
  }
  for (let at = second; at <= seconds * second; at += second) {
    change(at / second, it)
    if (it.shardsMove) it.up.seq++
    if (it.probeWorks && (at / second) % 60 === 20) it.up.verified++
    const beats = [
      ...(it.upBeats ? [it.up.whole(at)] : []),
      ...(it.peerBeats ? [it.peer.beat(at, { paged: it.peerPaged })] : []),
    ]
    for (const page of it.a.look(at, beats)) it.pagedAt.push([at / second, page.kind])
  }
  return it
}

interface Story {
  readonly a: Watching
  readonly up: Beating
  readonly peer: Beating
  upBeats: boolean
  shardsMove: boolean
  probeWorks: boolean
  peerBeats: boolean
  peerPaged: readonly string[]
  readonly pagedAt: [number, string][]
}

describe('a watcher', () => {
  test('says nothing while everything moves', () => {
    expect(story(3_600).pagedAt).toEqual([])
  })

  test('pages once within 30 s after a process fell silent, and says when it is back', () => {
    const it = story(500, (at, one) => {
      if (at === 101) one.upBeats = false
      if (at === 301) one.upBeats = true
    })
    const [first, ...rest] = it.pagedAt
    expect(first![1]).toBe('open')
    expect(first![0] - 100).toBeLessThanOrEqual(30)
    expect(rest.map(([, kind]) => kind)).toEqual(['update', 'resolved'])
    expect(new Set(it.a.pages.map(({ incident }) => incident)).size).toBe(1)
    expect(it.a.pages[0]!.sentence).toContain('no sign of life from up; no progress in 4 shards:')
    expect(it.a.pages.at(-1)!.sentence).toMatch(/^Interlock guards "production" again/)
  })

  test('notices within 15 s a process that beats but does not move: stalled without a crash', () => {
    const it = story(112, (at, one) => {
      if (at === 100) one.shardsMove = false
    })
    expect(troubledUnits(it.a.state)).toEqual([
      'shard profiler/0',
      'shard evaluator/0',
      'shard governor/0',
      'shard fleet/0',
    ])
    expect(it.pagedAt).toEqual([])
  })

  test('pages when the probe is not verified, as soon as it says so itself, and also when it says nothing', () => {
    const late = story(400, (at, one) => {
      if (at > 150) one.probeWorks = false
      // Its breach of second 210 is beyond its 15 s from second 225 on.
      one.up.overdueMs = at > 225 ? (at - 225) * second : 0
    })
    expect(late.pagedAt[0]![0]).toBeLessThanOrEqual(210 + 30)
    expect(late.a.pages[0]!.sentence).toContain('not verified in time (it waits for the rollback)')
    const dumb = story(400, (at, one) => {
      if (at > 150) one.probeWorks = false
    })
    expect(dumb.pagedAt[0]![0]).toBeLessThanOrEqual(140 + 90 + 20)
    expect(dumb.pagedAt[0]![1]).toBe('open')
  })

  test('lets a slow round pass, and an orderly restart, and a shard that moves to another process', () => {
    const it = story(400, (at, one) => {
      one.up.overdueMs = at >= 200 && at <= 204 ? (at - 199) * second : 0
      if (at === 300) one.a.look(300 * second - 1, [one.up.whole(0, { leaving: true })])
      if (at === 300) one.upBeats = false
      if (at === 330) one.up.restart()
      if (at === 330) one.upBeats = true
    })
    expect(it.pagedAt).toEqual([])
  })

  test('gives the probe of a process that left in order the time to be back', () => {
    const it = story(400, (at, one) => {
      if (at === 300) one.a.look(300 * second - 1, [one.up.whole(0, { leaving: true })])
      one.upBeats = at < 300 || at >= 310
      if (at === 310) one.up.restart()
      one.probeWorks = at < 300 || at > 340
      // It says itself that its round is late, because it was away.
      one.up.overdueMs = at >= 310 && at < 340 ? (at - 309) * second : 0
    })
    expect(it.pagedAt).toEqual([])
  })

  test('pages when a process that left in order does not come back', () => {
    const it = story(400, (at, one) => {
      if (at === 300) one.a.look(300 * second - 1, [one.up.whole(0, { leaving: true })])
      if (at === 300) one.upBeats = false
    })
    expect(it.pagedAt[0]![0]).toBeGreaterThan(300 + watchTimes.restartMs / second)
    expect(it.pagedAt[0]![0]).toBeLessThanOrEqual(300 + watchTimes.restartMs / second + 30)
  })

  test('tells again while it lasts', () => {
    const it = story(2_000, (at, one) => {
      if (at === 101) one.upBeats = false
    })
    const repeats = it.pagedAt.filter(([, kind]) => kind === 'repeat').map(([at]) => at)
    expect(repeats.length).toBe(3)
    expect(repeats[1]! - repeats[0]!).toBe(watchTimes.repeatMs / second)
  })

  test('a trouble that begins later is an incident of its own: an old one hides nothing', () => {
    const it = story(600, (at, one) => {
      if (at === 101) one.peerBeats = false
      if (at === 401) one.upBeats = false
    })
    expect(it.pagedAt.map(([, kind]) => kind)).toEqual(['open', 'open', 'update'])
    expect(it.a.pages[0]!.sentence).toContain('no sign of life from watcher-b')
    expect(it.a.pages[1]!.units).toContain('component up')
  })

  test('leaves an incident to the other watcher that told people of it, until that one falls silent', () => {
    const it = story(400, (at, one) => {
      if (at === 101) one.upBeats = false
      if (at > 112) one.peerPaged = Object.keys(one.a.state.units)
      if (at === 201) one.peerBeats = false
    })
    expect(it.pagedAt[0]![0]).toBeGreaterThan(200)
    expect(it.pagedAt[0]![0]).toBeLessThanOrEqual(231)
  })

  test('a watcher whose pager is down is covered by the other one within 30 s', () => {
    const [a, b] = [new Watching(rulesOf('watcher-a')), new Watching(rulesOf('watcher-b'))]
    const [up, beatsOfA, beatsOfB] = [new Beating('up'), new Beating('watcher-a'), new Beating('watcher-b')]
    a.pagerWorks = false
    for (let at = second; at <= 240 * second; at += second) {
      up.seq++
      up.verified = Math.floor(at / 60_000)
      const beats = at <= 200 * second ? [up.whole(at)] : []
      a.look(at, [...beats, beatsOfB.beat(at, { paged: b.paged() })])
      b.look(at, [...beats, beatsOfA.beat(at, { paged: a.paged() })])
    }
    expect(a.state.outbox.length).toBeGreaterThan(0)
    expect(b.pages.map(({ kind }) => kind)).toEqual(['open'])
    expect(b.pages[0]!.at).toBeLessThanOrEqual(230 * second)
  })

  test('one single beat of a dying process does not end the incident', () => {
    const it = story(400, (at, one) => {
      one.upBeats = at <= 100 || at === 200 || at === 201
    })
    expect(it.pagedAt.map(([, kind]) => kind)).not.toContain('resolved')
    expect(new Set(it.a.pages.map(({ incident }) => incident)).size).toBe(1)
  })

  test('time in which it slept itself is nobody’s fault', () => {
    const it = story(200)
    it.a.look(900 * second, [])
    for (let at = 901; at < 1_000; at++) {
      it.up.seq++
      it.up.verified = at >= 920 ? 99 : it.up.verified
      it.a.look(at * second, [it.up.whole(at), it.peer.beat(at)])
    }
    expect(it.a.pages).toEqual([])
  })

  test('what nobody has ever heard of is paged too, once it had time to start', () => {
    const a = new Watching(rulesOf('watcher-a'))
    for (let at = 1; at < 100; at++) a.look(at * second, [])
    expect(a.pages).toHaveLength(1)
    expect(a.pages[0]!.at).toBeGreaterThan(watchTimes.startMs)
    expect(a.pages[0]!.at).toBeLessThanOrEqual(watchTimes.startMs + 20 * second)
  })

  test('a message that did not arrive stays in the outbox, under the same id, and the other watcher hears of no page', () => {
    const a = new Watching(rulesOf('watcher-a'))
    a.pagerWorks = false
    for (let at = 1; at < 100; at++) a.look(at * second, [])
    expect(a.state.outbox.map(({ id }) => id)).toEqual(['production/watcher-a/1/1'])
    expect(a.paged()).toEqual([])
    a.pagerWorks = true
    a.look(100 * second, [])
    expect(a.pages.map(({ id }) => id)).toEqual(['production/watcher-a/1/1'])
    expect(a.paged()).toContain('component up')
  })
})

describe('a heartbeat', () => {
  const { a, up } = story(100)
  const now = 101 * second

  test('of another environment, and one that was heard already, is no sign of life', () => {
    const again = up.whole(now)
    const once = hear(a.rules, a.state, again, now)
    expect('ignored' in once).toBe(false)
    expect(hear(a.rules, once as never, again, now)).toEqual({ ignored: 'beat 101 of up was heard already' })
    expect(hear(a.rules, a.state, { ...up.whole(now), environment: 'test' }, now)).toHaveProperty('ignored')
  })

  test('recorded from a process of long ago is no sign of life', () => {
    const old = { ...new Beating('up').whole(0), instance: 'recorded', at: now - 3_600_000 }
    expect(hear(a.rules, a.state, old, now)).toHaveProperty('ignored')
  })

  test('of a sleeper that says an old number moves nothing, and neither does a shard that nobody owns', () => {
    const stale = up.beat(now, { shards: shardsAt(5) })
    const after = hear(a.rules, a.state, stale, now)
    expect((after as typeof a.state).units['shard governor/0']!.movedAt).toBe(100 * second)
    const unowned = up.beat(now, { shards: shardsAt(5_000, false) })
    const then = hear(a.rules, a.state, unowned, now)
    expect((then as typeof a.state).units['shard governor/0']!.movedAt).toBe(100 * second)
  })
})
