import { contentHash } from '@interlock/contracts'
import { say } from '@interlock/policy'
import { expect, test } from 'vitest'
import { Rehearsal } from './rehearsal.ts'
import {
  deploymentDocument,
  digestOf,
  flights,
  manifestOf,
  policyDocument,
  policySource,
  v1,
  v2,
} from './rehearsal-cast.ts'

test('a healthy version goes through shadow and canary to everybody, and the old one stays as a way back', () => {
  const story = new Rehearsal().rollingOut().seconds(30)
  expect(story.outcomes()).toEqual([
    'registered',
    'approved',
    'approved',
    'rollout-started',
    'promoted',
    'promoted',
    'verified',
    'promoted',
    'verified',
    'completed',
    'verified',
  ])
  const { view, attention, sentence } = story.shown()
  expect(view).toMatchObject({ phase: 'steady', stable: v2, candidate: null, share: 0 })
  expect(attention).toBe('healthy')
  const completed = story.decisions().find(({ outcome }) => outcome === 'completed')
  expect(story.evidenceSeen.map(({ hash }) => hash)).toContain(completed?.evidence)
  expect(sentence).toBe(say({ kind: 'steady', version: v2, checked: true }).text)
  expect(story.last('watch')).toMatchObject({ stable: v2, candidate: null, generation: 1 })
  expect(story.newest()?.desired).toMatchObject({ target: digestOf(v2), candidate: null })
  expect(story.state.deployments[flights]?.previous.map(({ version }) => version)).toEqual([v1])
})

test('the candidate reads kilometres for miles: rolled back, applied, and verified by who answers', () => {
  const story = new Rehearsal().canary()
  expect(story.shown().view).toMatchObject({ share: 0.1, candidate: v2 })
  const onset = story.time - 2_000
  story.seconds(1, { 'inputs/v2': { harm: 12, onset }, 'inputs-training/v2': { harm: 12, onset } })
  const rolledBack = story.decisions().at(-1)
  expect(rolledBack).toMatchObject({ outcome: 'rolled-back', rule: 'inputs', by: 'governor' })
  expect(rolledBack?.facts).toMatchObject({ from: v2, to: v1 })
  expect(rolledBack?.text).toContain('flight distance'.replace('f', 'F'))
  expect(rolledBack?.evidence).toBe(
    story.outs.find((out) => out.kind === 'decision' && out.outcome === 'rolled-back') && rolledBack?.evidence,
  )
  expect(story.newest()).toMatchObject({ order: [1, 0, 3, expect.any(Number)], because: rolledBack?.id })
  expect(story.newest()?.desired).toEqual({
    target: digestOf(v1),
    candidate: null,
    shareMax: 0,
    shadow: false,
    pace: 'at-once',
    fallback: false,
  })
  expect(story.shown()).toMatchObject({ attention: 'act-now', view: { phase: 'rolling-back' } })
  story.seconds(3)
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'verified', facts: { what: 'roll-back', by: 'traffic' } })
  expect(story.shown()).toMatchObject({
    attention: 'handled',
    view: { phase: 'rolled-back', stable: v1, candidate: null },
  })
  expect(story.last('watch')).toMatchObject({ stable: v1, candidate: null })
  expect(story.last('alert')).toMatchObject({ attention: 'handled', resolves: `${flights}/${rolledBack?.sequence}` })
})

test('a source breaks for both arms: hold and a data incident that names it, no rollback; recovery lets the rollout go on', () => {
  const story = new Rehearsal().canary()
  const broken = { harm: 12, producer: 'northeast', onset: story.time }
  story.seconds(3, { 'inputs-training/v1': broken, 'inputs-training/v2': broken })
  const decision = story.decisions().at(-1)
  expect(decision).toMatchObject({ outcome: 'data-incident', facts: { source: 'northeast' } })
  expect(decision?.text).toContain('northeast')
  expect(story.outcomes()).not.toContain('rolled-back')
  expect(story.shown()).toMatchObject({ attention: 'act-now', view: { share: 0.1, holds: [{ owner: 'data' }] } })
  expect(story.outcomes().filter((outcome) => outcome === 'data-incident')).toHaveLength(1)
  story.seconds(8)
  expect(story.shown().view.share).toBe(0.1)
  story.seconds(12)
  expect(story.outcomes().slice(-5)).toContain('released')
  expect(story.shown().view).toMatchObject({ phase: 'steady', stable: v2 })
})

test('harm in the rows of one small source: hold and call the owner of its data, no rollback; harm of many beside it is rolled back', () => {
  const story = new Rehearsal().canary()
  const ofOne = { harm: 12, alone: 'edge-2' }
  story.seconds(3, { 'inputs/v2': ofOne })
  const decision = story.decisions().at(-1)
  expect(decision).toMatchObject({
    outcome: 'data-incident',
    facts: { kind: 'source-incident', source: 'edge-2', traffic: 0.04 },
    causes: [{ dimension: 'feature', share: 1 }, { dimension: 'bin' }],
  })
  expect(decision?.text).toContain('source "edge-2" with 4 % of the traffic, and no single source decides')
  expect(story.outcomes().filter((outcome) => outcome === 'data-incident')).toHaveLength(1)
  expect(story.shown()).toMatchObject({ attention: 'act-now', view: { share: 0.1, holds: [{ owner: 'data' }] } })
  // It does not end while the source goes on.
  story.seconds(20, { 'inputs/v2': ofOne })
  expect(story.shown().view).toMatchObject({ share: 0.1, holds: [{ owner: 'data' }] })
  story.seconds(3, { 'inputs/v2': ofOne, 'errors/v2': { harm: 12 } })
  expect(story.outcomes()).toContain('rolled-back')
})

test('when the data stops nobody is told that all is well: not watched, promotion frozen, watched again when it returns', () => {
  const story = new Rehearsal().canary()
  story.rowsPerPane = 0
  story.seconds(16, { 'errors/v2': { status: 'no-data' } })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'not-watched', facts: { reason: 'no-data' } })
  expect(story.shown()).toMatchObject({ attention: 'not-watched', view: { share: 0.1 } })
  expect(story.shown().blocked.join(' ')).toContain('no data')
  story.rowsPerPane = 1_000
  story.seconds(1)
  expect(story.decisions().map(({ outcome }) => outcome)).toContain('watched-again')
  story.seconds(10)
  expect(story.shown().view).toMatchObject({ phase: 'steady', stable: v2 })
})

test('evidence that stops coming is not watched either, and names the watch and not the data', () => {
  const story = new Rehearsal().registered()
  for (let second = 0; second < 20; second++) story.step([], 1_000)
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'not-watched', facts: { reason: 'stopped' } })
})

test('a silent agent gets the rollback again after 2, 4, 8 and 8 s and is escalated after 30 s, twice', () => {
  const story = new Rehearsal().canary()
  story.agentAnswers = false
  story.seconds(1, { 'inputs/v2': { harm: 12 } })
  const sentAt: number[] = []
  const start = story.time
  const order = story.newest()?.order
  for (let second = 0; second < 100; second++) {
    story.time += 1_000
    for (const out of story.step([story.out(story.evidence())])) {
      if (out.kind === 'command') {
        expect(out.command.order).toEqual(order)
        // The escalated command goes by the second path too.
        expect(out.escalated ?? false).toBe(story.time - start >= 30_000)
        sentAt.push((story.time - start) / 1_000)
      }
    }
  }
  expect(sentAt).toEqual([2, 6, 14, 22, 30, 90])
  const escalations = story.decisions().filter(({ outcome }) => outcome === 'escalated')
  expect(escalations.map(({ at, rule }) => [(at - start) / 1_000, rule])).toEqual([
    [30, 'command:not-received'],
    [90, 'command:severity-1'],
  ])
  expect(story.shown().attention).toBe('act-now')
  // It comes back: the same command is carried out and proven.
  story.agentAnswers = true
  story.seconds(3)
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'verified' })
  expect(story.shown().attention).toBe('handled')
})

test('an agent that says "done" while v2 still answers is not believed: the traffic escalates it', () => {
  const story = new Rehearsal().canary()
  const rows = story.rows()
  story.seconds(1, { 'inputs/v2': { harm: 12 } })
  story.rows = () => rows
  story.seconds(32)
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'escalated', facts: { reason: 'disagrees', share: 0.1 } })
  expect(story.shown().view.phase).toBe('rolling-back')
})

test('a grant is renewed every third of its length while panes close, as a newer revision and no decision', () => {
  const story = new Rehearsal().canary()
  expect(story.shown().view.share).toBe(0.1)
  const decided = story.decisions().length
  const first = story.newest()
  expect(first?.grant).toMatchObject({ ms: 30_000, onLapse: [{ afterMs: 0 }, { afterMs: 300_000 }] })
  story.seconds(21, { 'errors/v2': { safe: 0 } })
  const commands = story.outs.filter((out) => out.kind === 'command').map(({ command }) => command)
  const renewals = commands.filter(
    ({ because, order }) => because === first?.because && order[3] > (first?.order[3] ?? 0),
  )
  expect(renewals).toHaveLength(2)
  expect(renewals.every(({ desired }) => contentHash(desired) === contentHash(first?.desired))).toBe(true)
  expect(story.decisions()).toHaveLength(decided)
  expect(story.shown().command?.state).toBe('verified')
  // No evidence: no renewal.
  const before = story.outs.length
  for (let second = 0; second < 40; second++) story.step(story.agent(), 1_000)
  const later = story.outs.slice(before).filter((out) => out.kind === 'command')
  expect(later.length).toBeLessThanOrEqual(1)
})

test('one person rolls back with a reason at any time; pressing twice goes back once', () => {
  const story = new Rehearsal().canary()
  story.ask('cho', { kind: 'rollback', deployment: flights, reason: 'Customers call.' })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'rolled-back', by: 'cho', rule: 'request' })
  story.ask('cho', { kind: 'rollback', deployment: flights, reason: 'Customers call.' })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'refused' })
  story.seconds(3)
  expect(story.shown().view).toMatchObject({ phase: 'rolled-back', stable: v1 })
})

test('after a completed rollout a person goes back to the earlier version, and traffic proves it', () => {
  const story = new Rehearsal().rollingOut().seconds(30)
  story.ask('ada', { kind: 'rollback', deployment: flights, reason: 'Complaints.' })
  expect(story.last('watch')).toMatchObject({ stable: v1, candidate: v2 })
  story.seconds(3)
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'verified', facts: { by: 'traffic' } })
  expect(story.shown().view).toMatchObject({ phase: 'rolled-back', stable: v1 })
})

test('a rollout is refused with the failed check and its fix', () => {
  const story = new Rehearsal().registered()
  const refused = (): string => {
    const last = story.decisions().at(-1)
    expect(last?.outcome).toBe('refused')
    return last?.text ?? ''
  }
  const ask = { kind: 'rollout', deployment: flights, candidate: v2 } as const
  const policy = contentHash(policyDocument())
  story.ask('ada', { ...ask, manifest: contentHash('nothing'), policy })
  expect(refused()).toContain('the manifest is not known')
  expect(story.decisions().at(-1)?.facts.fix).toBe('send the manifest document first')
  story.ask('bea', { ...ask, manifest: contentHash(manifestOf(v2)), policy })
  expect(refused()).toContain('deployer')
  story.ask('ada', { ...ask, candidate: v1, manifest: contentHash(manifestOf(v1)), policy })
  expect(refused()).toContain('serves already')
  story.agentAnswers = false
  story.seconds(40)
  story.rollout()
  expect(refused()).toContain('the agent is silent')
})

test('a version that was rolled back is not rolled out again, and a third automatic rollback within the hour needs a person', () => {
  const story = new Rehearsal().canary()
  story.seconds(1, { 'inputs/v2': { harm: 12 } }).seconds(3)
  story.rollout()
  expect(story.decisions().at(-1)?.text).toContain('v2 was rolled back')
  const record = story.state.deployments[flights]
  if (record === undefined) throw new Error('not registered')
  const braked = new Rehearsal().canary()
  const own = braked.state.deployments[flights]
  if (own === undefined) throw new Error('not registered')
  braked.state = {
    ...braked.state,
    deployments: { [flights]: { ...own, rollbacks: [braked.time - 60_000, braked.time - 30_000] } },
  }
  braked.seconds(1, { 'inputs/v2': { harm: 12 } })
  expect(braked.decisions().at(-1)).toMatchObject({ outcome: 'held', rule: 'brake:rollbacks-per-hour' })
  expect(braked.shown().attention).toBe('act-now')
  expect(braked.last('alert').attention).toBe('act-now')
})

test('time alone never promotes: a gate that stays unsure until the maximum time holds and says so', () => {
  const story = new Rehearsal().rollingOut().seconds(45, { 'errors/v2': { safe: 1 } })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'held', facts: { kind: 'expired' } })
  expect(story.shown().view).toMatchObject({ stageIndex: 0, holds: [{ owner: 'expired' }] })
  // The gate becomes Safe after all: the hold ends by evidence.
  story.seconds(30)
  expect(story.shown().view).toMatchObject({ phase: 'steady', stable: v2 })
})

test('a halt is ended by two people who are neither deployer nor author, and starts a new generation at the same share', () => {
  const story = new Rehearsal().canary()
  story.ask('cho', { kind: 'halt', deployment: flights, reason: 'Wait.' })
  story.seconds(3)
  expect(story.shown()).toMatchObject({ attention: 'handled', view: { phase: 'halted', share: 0.1 } })
  story.rollout()
  expect(story.decisions().at(-1)?.outcome).toBe('refused')
  story.ask('ada', { kind: 'restore', deployment: flights, reason: 'Fine again.' })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'refused', facts: { what: 'restore' } })
  story.ask('cho', { kind: 'restore', deployment: flights, reason: 'Fine again.' })
  story.ask('cho', { kind: 'restore', deployment: flights, reason: 'Fine again.' })
  expect(story.shown().view.phase).toBe('halted')
  story.ask('bea', { kind: 'restore', deployment: flights, reason: 'Fine again.' })
  expect(story.shown().view.phase).toBe('halted')
  story.step()
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'restored' })
  expect(story.newest()?.order.slice(0, 3)).toEqual([2, 1, 0])
  expect(story.newest()?.desired.shareMax).toBe(0.1)
  story.counting().seconds(20)
  expect(story.shown().view).toMatchObject({ phase: 'steady', stable: v2 })
})

test('an agent whose grant lapsed into a rollback is followed, never overruled', () => {
  const story = new Rehearsal().canary()
  const command = story.newest()
  if (command === null) throw new Error('no command')
  const desired = { ...command.desired, candidate: null, shareMax: 0 }
  story.step([story.fact({ kind: 'lapsed', order: command.order, desired })], 1_000)
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'rolled-back', rule: 'grant-lapsed' })
  expect(story.newest()?.order[2]).toBe(3)
})

test('registration asks for three named people, and the documents of the version that serves', () => {
  const story = new Rehearsal()
  expect(story.documents().map(([, { kind }]) => kind)).toContain('deployment')
  const nobody = { ...deploymentDocument, onCall: '' as typeof deploymentDocument.onCall }
  const prepared = new Rehearsal().registered()
  prepared.state = { ...prepared.state, deployments: {} }
  prepared.ask('ada', { kind: 'document', document: nobody })
  prepared.ask('ada', { kind: 'register', deployment: flights, document: contentHash(nobody) })
  expect(prepared.last('dead-letter').detail).toContain('names no onCall')
  expect(prepared.state.deployments).toEqual({})
})

test('no candidate gets a share before every profiler shard counts its generation', () => {
  const story = new Rehearsal().registered()
  story.rollout()
  story.seconds(10)
  expect(story.newest()).toBeNull()
  expect(story.shown().view).toMatchObject({ phase: 'rolling-out', stageIndex: -1 })
  story.counting().seconds(2)
  expect(story.newest()).toMatchObject({ order: [1, 0, 0, 2], desired: { shadow: true, shareMax: 0 } })
})

test('while a hold keeps the first stage away, the platform still hears of the generation, and nobody is exposed', () => {
  const story = new Rehearsal().registered()
  story.rollout()
  story.ask('cho', { kind: 'hold', deployment: flights, reason: 'Not today.' })
  story.counting().seconds(20)
  expect(story.newest()).toMatchObject({ order: [1, 0, 0, 2], desired: { candidate: null, shareMax: 0 } })
  expect(story.shown().attention).toBe('watch')
  story.ask('cho', { kind: 'release-hold', deployment: flights, reason: 'Go.' })
  story.seconds(2)
  expect(story.newest()?.desired.shadow).toBe(true)
})

test('a pane of which a part is missing neither breaches nor passes', () => {
  const story = new Rehearsal().canary()
  const before = story.decisions().length
  story.time += 1_000
  story.step([...story.agent(), story.out(story.evidence({ 'inputs/v2': { harm: 12 } }, { coverage: 0.5 }))])
  expect(story.decisions()).toHaveLength(before)
  expect(story.shown().attention).toBe('not-watched')
})

test('the candidate leaves its training alone: hold at once, roll back when it also leaves the stable version', () => {
  const story = new Rehearsal().canary().seconds(1, { 'inputs-training/v2': { harm: 12 } })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'held', rule: 'inputs-training' })
  story.seconds(1, { 'inputs-training/v2': { harm: 12 }, 'inputs/v2': { harm: 12 } })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'rolled-back', after: { holds: [] } })
})

test('a stage does not run out of time while a data incident explains the standstill', () => {
  const broken = { harm: 12, producer: 'northeast' }
  const look = { 'inputs-training/v1': broken, 'inputs-training/v2': broken, 'errors/v2': { safe: 0 } }
  const story = new Rehearsal().canary().seconds(80, look)
  expect(story.shown().view.holds.map(({ owner }) => owner)).toEqual(['data'])
  expect(story.shown().sentence).toContain('northeast')
})

test('a stable version that is alone and out of line is held, and no other version is blamed', () => {
  const story = new Rehearsal().registered().seconds(1, { 'inputs-training/v1': { harm: 12 } })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'held', rule: 'inputs-training' })
  story.rollout()
  story.counting().seconds(5, { 'inputs-training/v1': { harm: 12 } })
  expect(story.shown().view).toMatchObject({ phase: 'rolling-out', share: 0, stageIndex: -1 })
})

test('an agent that cannot activate the target is escalated with its reason', () => {
  const story = new Rehearsal().canary().seconds(1, { 'inputs/v2': { harm: 12 } })
  const order = story.newest()?.order ?? [0, 0, 0, 0]
  story.step([story.fact({ kind: 'failed', order, reason: 'bytes differ' })], 1_000)
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'escalated', facts: { reason: 'not-applied' } })
  expect(story.state.deployments[flights]?.command?.escalation?.detail).toBe('bytes differ')
})

const gentle = policySource
  .replace('  - { share: 10%,', '  - { share: 5%, rows: 10, at-least: 1s, at-most: 60s }\n  - { share: 10%,')
  .replaceAll('\n    action: roll back', '\n    action: ramp down')

test('a ramp-down leads the share back stage by stage, each step proven before the next', () => {
  const story = new Rehearsal(gentle).canary().seconds(1, { 'inputs/v2': { harm: 12 } })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'ramped-down' })
  story.seconds(8)
  const commands = story.outs.filter((out) => out.kind === 'command').map(({ command }) => command)
  const down = commands.filter(({ order }) => order[2] === 2)
  expect(down.map(({ desired }) => [desired.shareMax, desired.candidate !== null, desired.pace])).toEqual([
    [0.05, true, 'steps'],
    [0, false, 'steps'],
  ])
  expect(story.outcomes().filter((outcome) => outcome === 'verified').length).toBeGreaterThanOrEqual(2)
  expect(story.shown()).toMatchObject({
    attention: 'handled',
    view: { phase: 'ramping-down', candidate: null, share: 0 },
  })
  story.rollout()
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'refused' })
})

test('a policy that asks for the fallback gets it, and only the weights can prove it', () => {
  const source = policySource.replaceAll('\n    action: roll back', '\n    action: fall back')
  const story = new Rehearsal(source).canary().seconds(1, { 'inputs/v2': { harm: 12 } })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'fell-back', rule: 'inputs' })
  expect(story.newest()).toMatchObject({
    order: [1, 0, 4, expect.any(Number)],
    desired: { fallback: true, candidate: null },
  })
  story.seconds(3)
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'verified', facts: { by: 'weights' } })
  expect(story.shown().view.phase).toBe('fallen-back')
  story.ask('cho', { kind: 'rollback', deployment: flights, reason: 'Go back.' })
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'refused' })
})

test('with no version to go back to the rollout is halted and a person is called', () => {
  const story = new Rehearsal().canary()
  const ready = { ok: false, checks: [{ name: 'digest', ok: false, detail: 'bytes differ' }] }
  const broken = story.fact({ kind: 'readiness', target: digestOf(v1), ready })
  story.time += 1_000
  story.step([broken, story.out(story.evidence({ 'inputs/v2': { harm: 12 } }))])
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'halted', rule: 'no-target' })
  expect(story.last('alert').attention).toBe('act-now')
  expect(story.shown().engines[0]).toMatchObject({ state: 'failed' })
})

test('two people restore what was rolled back: a new generation that is counted before it answers again', () => {
  const story = new Rehearsal().rollingOut().seconds(30)
  story.ask('ada', { kind: 'rollback', deployment: flights, reason: 'Complaints.' })
  story.seconds(3)
  story.rollout()
  expect(story.decisions().at(-1)?.text).toContain('was rolled back')
  story.ask('cho', { kind: 'restore', deployment: flights, reason: 'It was the data.' })
  story.ask('bea', { kind: 'restore', deployment: flights, reason: 'It was the data.' })
  story.step()
  expect(story.decisions().at(-1)).toMatchObject({ outcome: 'restored' })
  expect(story.newest()?.order.slice(0, 3)).toEqual([2, 1, 0])
  expect(story.newest()?.desired).toMatchObject({ target: digestOf(v1), candidate: null })
  expect(story.shown().attention).not.toBe('healthy')
  story.counting().seconds(15)
  expect(story.shown().view).toMatchObject({ phase: 'steady', stable: v2, generation: 2 })
})
