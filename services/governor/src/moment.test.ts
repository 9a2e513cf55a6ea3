/** Who acts at the same moment, and what happens when a target fails (docs/reliability.md F23, F26). */
import { compareOrders, type Input, type Request, type VersionId } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { type Look, Rehearsal } from './rehearsal.ts'
import { agentName, digestOf, flights, v1, v2 } from './rehearsal-cast.ts'

const wrong: Readonly<Record<string, Look>> = { 'inputs/v2': { harm: 12 } }
const acts = {
  hold: { kind: 'hold', deployment: flights, reason: 'Wait.' },
  halt: { kind: 'halt', deployment: flights, reason: 'Stop.' },
  rollback: { kind: 'rollback', deployment: flights, reason: 'Back.' },
} as const satisfies Record<string, Request>

/** A canary whose gates are about to open: at the next pane the machine promotes, or rolls back. */
function ripe(): Rehearsal {
  const story = new Rehearsal().canary()
  for (let second = 0; second < 20; second++) {
    const trial = copyOf(story)
    trial.seconds(1)
    if (trial.shown().view.share > 0.1) return story
    story.seconds(1)
  }
  throw new Error('it never became ripe')
}

function copyOf(story: Rehearsal): Rehearsal {
  const copy = new Rehearsal()
  copy.state = story.state
  copy.fleetState = story.fleetState
  copy.time = story.time
  copy.observed = story.observed
  copy.outs = [...story.outs]
  return copy
}

function orders<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length <= 1) return [items]
  return items.flatMap((item, index) =>
    orders([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  )
}

const start = ripe()

test.each([
  ['the machine rolls back, a person halts', wrong, ['halt']],
  ['the machine rolls back, a person rolls back', wrong, ['rollback']],
  ['the machine rolls back, a person holds', wrong, ['hold']],
  ['the machine promotes, a person rolls back', {}, ['rollback']],
  ['the machine promotes, a person halts and another rolls back', {}, ['halt', 'rollback']],
  ['the machine rolls back, two people halt and roll back', wrong, ['halt', 'rollback']],
] as const)(
  '%s at the same moment: one end in every order, every decision kept, and each person is answered',
  (_, look, people) => {
    const ends = new Set<string>()
    const by = ['cho', 'bea']
    const inputs = (story: Rehearsal): readonly Input[] => [
      story.out(story.evidence(look)),
      ...people.map((act, index) => story.request(by[index] ?? 'cho', acts[act])),
    ]
    for (const order of orders([0, ...people.map((_, index) => index + 1)])) {
      for (const together of [true, false]) {
        const story = copyOf(start)
        story.time += 1_000
        const all = inputs(story)
        const arrived = order.map((index) => all[index] as Input)
        const before = story.decisions().length
        if (together) story.step(arrived)
        else for (const input of arrived) story.step([input])
        const made = story.decisions().slice(before)
        // Each person's request ends in a decision of that person, also where another was first: then it says why.
        for (const [index] of people.entries()) {
          const own = made.filter((decision) => decision.by === by[index])
          expect(own).toHaveLength(1)
          if (own[0]?.outcome === 'refused') expect(own[0].text).toMatch(/already|stands/)
        }
        story.seconds(4)
        const { view, command } = story.shown()
        const { target, candidate, shareMax, fallback } = story.newest()?.desired ?? {}
        ends.add(
          JSON.stringify([
            view.phase,
            view.stable,
            view.order.slice(0, 3),
            command?.state,
            target,
            candidate,
            shareMax,
            fallback,
          ]),
        )
      }
    }
    expect([...ends]).toHaveLength(1)
  },
)

/** A rollback that was ordered while an older version, too, is warm. */
function withThirdVersion(): Rehearsal {
  const v0 = 'flight-delay@v0' as VersionId
  const story = new Rehearsal().canary()
  const record = story.state.deployments[flights]
  if (record === undefined) throw new Error('not registered')
  const previous = [{ ...record.stable, version: v0, digest: digestOf(v0) }]
  const readiness = { ...record.readiness, [digestOf(v0)]: { ok: true, at: story.time, detail: '' } }
  story.state = { ...story.state, deployments: { [flights]: { ...record, previous, readiness } } }
  story.seconds(1, wrong)
  return story
}

test('a target that cannot be activated is left for the next verified version, as a newer revision of the same severity', () => {
  const story = withThirdVersion()
  const first = story.newest()
  expect(first?.desired.target).toBe(digestOf(v1))
  const failed = story.fact({ kind: 'failed', order: first?.order ?? [0, 0, 0, 0], reason: 'bytes differ' })
  story.step([failed, failed], 1_000)
  const second = story.newest()
  expect(story.last('decision')).toMatchObject({ outcome: 'rolled-back', rule: 'retarget', by: 'governor' })
  expect(story.last('decision').text).toContain('bytes differ')
  expect(second?.desired.target).toBe(digestOf('flight-delay@v0' as VersionId))
  expect(second?.order.slice(0, 3)).toEqual(first?.order.slice(0, 3))
  expect(compareOrders(second?.order ?? [0, 0, 0, 0], first?.order ?? [0, 0, 0, 0])).toBeGreaterThan(0)
  expect(story.outcomes().filter((outcome) => outcome === 'rolled-back')).toHaveLength(2)
})

test('no version is tried twice: where none is left the command is escalated and a person called', () => {
  const story = withThirdVersion()
  const fail = (): void => {
    const order = story.newest()?.order ?? [0, 0, 0, 0]
    story.step([story.fact({ kind: 'failed', order, reason: 'bytes differ' })], 1_000)
  }
  fail()
  const rolledBack = story.outcomes().filter((outcome) => outcome === 'rolled-back').length
  fail()
  fail()
  expect(story.outcomes().filter((outcome) => outcome === 'rolled-back')).toHaveLength(rolledBack)
  expect(story.last('decision')).toMatchObject({ outcome: 'escalated', rule: 'command:not-applied' })
  expect(story.last('alert')).toMatchObject({ attention: 'act-now' })
})

test('a promotion that cannot be activated is escalated: nothing else is put in its place', () => {
  const story = new Rehearsal().canary()
  const order = story.newest()?.order ?? [0, 0, 0, 0]
  const record = story.state.deployments[flights]
  if (record?.command == null) throw new Error('no command')
  const issued = { ...record.command, state: 'issued' as const, times: { issued: story.time, sent: story.time } }
  story.state = { ...story.state, deployments: { [flights]: { ...record, command: issued } } }
  story.agentAnswers = false
  story.step([story.fact({ kind: 'failed', order, reason: 'not warm' })], 1_000)
  expect(story.last('decision')).toMatchObject({ outcome: 'escalated' })
  expect(story.newest()?.desired.candidate).toBe(digestOf(v2))
})

test('while a command is stuck no rollout begins, and it is sent again each minute by both paths', () => {
  const story = new Rehearsal().canary()
  story.agentAnswers = false
  story.seconds(1, wrong)
  const begun = story.time
  const sentAt: number[] = []
  for (let second = 0; second < 300; second++) {
    for (const out of story.step([story.out(story.evidence())], 1_000)) {
      if (out.kind === 'command' && out.escalated === true) sentAt.push((story.time - begun) / 1_000)
    }
  }
  expect(sentAt).toEqual([30, 90, 150, 210, 270])
  story.rollout()
  expect(story.last('decision').outcome).toBe('refused')
  expect(agentName).toBe(story.newest()?.audience)
})

test('a command that is replaced before it is proven ends as superseded by the one that replaces it', () => {
  const story = new Rehearsal().canary()
  story.agentAnswers = false
  const proven = story.shown().command?.order
  story.seconds(1, wrong)
  const [rollback] = story.outs.filter((out) => out.kind === 'command').slice(-1)
  // The canary was proven: it ended well, and nothing is superseded.
  expect(rollback).not.toHaveProperty('supersedes')
  expect(proven).toBeDefined()
  const source = new Rehearsal().canary()
  source.agentAnswers = false
  source.ask('cho', acts.halt)
  const halted = source.newest()?.order
  source.ask('cho', acts.rollback)
  expect(source.last('command')).toMatchObject({ supersedes: halted })
})

test('every command names a decision that was made before it or with it, whatever led to it', () => {
  const healthy = new Rehearsal().rollingOut().seconds(40)
  const waiting = new Rehearsal().registered()
  waiting.rollout()
  waiting.ask('cho', acts.hold)
  waiting.counting().seconds(10)
  const gone = new Rehearsal().canary().seconds(1, wrong).seconds(4)
  for (const by of ['cho', 'bea']) gone.ask(by, { kind: 'restore', deployment: flights, reason: 'Fine.' })
  gone.seconds(2)
  gone.counting().seconds(30)
  const retargeted = withThirdVersion()
  const order = retargeted.newest()?.order ?? [0, 0, 0, 0]
  retargeted.step([retargeted.fact({ kind: 'failed', order, reason: 'bytes differ' })], 1_000)
  for (const story of [healthy, waiting, gone, retargeted]) {
    const decided = new Set<string>()
    let commands = 0
    for (const out of story.outs) {
      if (out.kind === 'decision') decided.add(out.id)
      if (out.kind !== 'command') continue
      commands += 1
      expect(decided).toContain(out.command.because)
    }
    expect(commands).toBeGreaterThan(0)
  }
})
