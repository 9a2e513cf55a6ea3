/**
 * An agent whose broker is away for good: the governor's stuck rollback reaches it over HTTPS, signed, is carried out on the
 * platform, and what the agent says of it proves it to the governor. Governor, path, agent and endpoint are the real ones.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryPlatform } from '@interlock/agent'
import { Agent, commandCheck, openEndpoint } from '@interlock/client/agent'
import {
  type AgentId,
  type AnyOut,
  encodeEntry,
  encodeOut,
  type KeyEntry,
  keyIdOf,
  sha256,
  shardLog,
  signerOf,
  signFact,
  topics,
} from '@interlock/contracts'
import { agentUrl, httpsSender, runSecondPath } from '@interlock/governor'
import { openSqliteLog, systemClock } from '@interlock/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { Rehearsal } from '../../services/governor/src/rehearsal.ts'
import { agentName, digestOf, flights, keyOf, publicBytes, v1 } from '../../services/governor/src/rehearsal-cast.ts'
import { authority } from '../../services/governor/src/testing/certificate.ts'

const environment = 'test'
const spki = publicBytes('governor')
const governor: KeyEntry = {
  keyId: keyIdOf(spki),
  publicKey: spki.toString('base64'),
  roles: ['governor'],
  holder: 'governor',
  may: [],
}

test('a rollback that never came over the broker is carried out by the second path, and verified', async () => {
  const story = new Rehearsal().canary()
  const { version: _, ...serving } = story.observed
  const platform = memoryPlatform(serving)
  const agent = new Agent({
    topics,
    clock: systemClock,
    agent: agentName,
    environment,
    platforms: new Map([[flights, platform]]),
    verify: commandCheck(
      { environment, agent: agentName, deployments: new Set([flights]) },
      () => ({ keys: [governor] }),
      Date.now,
    ),
    sign: (record) => signFact(record, signerOf(keyOf(agentName))),
    tell: () => {},
    turnEveryMs: 20,
  })
  const stop = new AbortController()
  const ours = authority('our CA')
  const endpoint = await openEndpoint(
    agent,
    { host: '127.0.0.1', port: 0, tls: ours.server, readToken: 'reader' },
    systemClock.monotonic,
  )
  const folder = await mkdtemp(join(tmpdir(), 'interlock-second-path-'))
  const log = openSqliteLog({ folder, durability: 'process-crash' })
  await log.createTopic(shardLog('governor'), { partitions: 1 })
  const running = [
    agent.run(stop.signal),
    runSecondPath(
      {
        log,
        shardLog: { topic: shardLog('governor'), partition: 0 },
        clock: systemClock,
        signer: signerOf(keyOf('governor')),
        agents: new Map([[agentName as AgentId, { url: agentUrl(endpoint.url), send: httpsSender(ours.ca) }]]),
        tell: () => {},
      },
      stop.signal,
    ),
  ]
  onTestFinished(async () => {
    stop.abort()
    await Promise.all(running)
    await endpoint.close()
    await log.close()
    await rm(folder, { recursive: true, force: true })
  })
  let prev = -1n
  const written = async (outs: readonly AnyOut[]): Promise<void> => {
    const entry = {
      v: 1,
      prev,
      owner: 'o',
      build: 'b',
      took: [],
      caughtUp: true,
      chain: sha256('c'),
      stateHash: null,
    } as const
    const landed = await log.append(shardLog('governor'), 0, {
      value: encodeEntry({ ...entry, outs: outs.map(encodeOut) }),
    })
    if (landed !== 'unknown') prev = landed.offset
  }

  story.agentAnswers = false
  story.seconds(1, { 'inputs/v2': { harm: 12 } })
  for (let second = 0; second < 29; second++) await written(story.step([story.out(story.evidence())], 1_000))
  expect(platform.changes).toEqual([])
  await written(story.step([story.out(story.evidence())], 1_000))
  expect(story.last('decision')).toMatchObject({ outcome: 'escalated', rule: 'command:not-received' })
  await expect.poll(() => platform.changes.length, { timeout: 5_000 }).toBeGreaterThan(0)
  const after = await platform.observe()
  expect(after).toMatchObject({ stable: digestOf(v1), candidate: null, share: 0 })

  // Its facts come back when somebody fetches them, or its broker returns: the same signed envelopes.
  await expect.poll(() => agent.facts(0, 100).length, { timeout: 5_000 }).toBeGreaterThan(2)
  story.observed = after
  story.step(
    agent.facts(0, 100).map(({ envelope }) => story.record(topics.facts, envelope)),
    1_000,
  )
  for (let second = 0; second < 6; second++) story.step([story.out(story.served()), story.out(story.evidence())], 1_000)
  expect(story.decisions().map(({ outcome }) => outcome)).toContain('verified')
  expect(story.shown()).toMatchObject({ attention: 'handled', view: { phase: 'rolled-back', stable: v1 } })
})
