import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from './config.ts'
import { readDeployments } from './deployments.ts'

async function folderWith(config: string, deployment: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-deployments-'))
  await mkdir(join(folder, 'deployments'))
  const platform =
    'platforms: { toy: { kind: http, observeUrl: "http://127.0.0.1:1/o", readyUrl: "http://127.0.0.1:1/r", applyUrl: "http://127.0.0.1:1/a" } }'
  await writeFile(join(folder, 'interlock.yaml'), `${config}\n${platform}\n`)
  await writeFile(
    join(folder, 'deployments', 'toy.yaml'),
    `deployment: toy
owner: a
onCall: a
approver: b
riskClass: low
stable: toy@v1
manifest: m.json
baseline: b.json
policy: p.yaml
${deployment}
`,
  )
  return join(folder, 'interlock.yaml')
}

const documentOf = async (config: string, deployment: string) =>
  readDeployments(loadConfig(await folderWith(config, deployment), {}))[0]?.document

test('a team keeps its own topics and field names: interlock.yaml says them once for all deployments', async () => {
  const found = await documentOf(
    'topics: { predictions: scoring.events, outcomes: labels }\nmapping: { eventTimeMs: meta.ts, id: request_id }',
    '',
  )
  expect(found?.topics).toEqual({ predictions: 'scoring.events', outcomes: 'labels' })
  expect(found?.mapping).toEqual({ eventTimeMs: 'meta.ts', id: 'request_id' })
})

test('what a deployment says of its own topics and fields goes before what interlock.yaml says', async () => {
  const found = await documentOf(
    'topics: { predictions: scoring.events }\nmapping: { eventTimeMs: meta.ts, id: request_id }',
    'topics: { predictions: toy.events }\nmapping: { id: key }',
  )
  expect(found?.topics).toEqual({ predictions: 'toy.events' })
  expect(found?.mapping).toEqual({ eventTimeMs: 'meta.ts', id: 'key' })
})

test('without a word of topics events are taken from "predictions", under our field names', async () => {
  const found = await documentOf('', '')
  expect(found?.topics).toEqual({ predictions: 'predictions' })
  expect(found?.mapping).toEqual({})
})

test('events cannot be taken from a topic of Interlock itself, whatever its name on the brokers', async () => {
  const kafka = 'kafka: { brokers: ["k:9092"], prefix: "il." }\n'
  for (const name of ['requests', 'log.governor', 'il.commands', 'il.log.fleet']) {
    await expect(documentOf(`${kafka}topics: { predictions: ${name} }`, '')).rejects.toThrow(
      /toy\.yaml:1:1 {2}topics\.predictions: ".*" is a topic of Interlock itself/,
    )
  }
  expect((await documentOf(`${kafka}topics: { predictions: il.events }`, ''))?.topics.predictions).toBe('il.events')
})
