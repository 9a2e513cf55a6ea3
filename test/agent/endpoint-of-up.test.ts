/** The agent inside `interlock up`, reached by its own endpoint: a governor's rollback that no topic ever held. */
import { createPrivateKey } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AgentId, type Command, type DeploymentId, sha256, signCommand, signerOf } from '@interlock/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, until } from '../process/interlock.ts'
import { loaded } from '../process/small-deployment.ts'
import { registeredDeployment, type WatchedDeployment } from '../process/watched-deployment.ts'

let toy: WatchedDeployment
let endpoint = ''

beforeAll(async () => {
  const port = await freePort()
  endpoint = `http://127.0.0.1:${port}`
  toy = await registeredDeployment({ configuration: `agent: { listen: { port: ${port} } }` })
}, 60_000)
afterAll(() => toy?.remove())

interface State {
  readonly agent: AgentId
  readonly environment: string
  readonly deployments: readonly { readonly deployment: string; readonly order: readonly number[] | null }[]
}
const state = async (): Promise<State> => (await (await fetch(`${endpoint}/v1/state`)).json()) as State
const post = async (signed: Uint8Array): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`${endpoint}/v1/commands`, { method: 'POST', body: Buffer.from(signed) })
  return { status: response.status, body: await response.json() }
}

test('a signed command that is posted to the agent of `up` is carried out, and kept on disk', async () => {
  await until('the agent answers', async () => (await state()).deployments.length === 1)
  const { agent, environment } = await state()
  const keyOf = async (holder: string) =>
    signerOf(createPrivateKey(await readFile(join(toy.files.data, 'keys', `${holder}.pem`), 'utf8')))
  const [v1] = loaded
  const command: Command = {
    v: 1,
    environment,
    audience: agent,
    deployment: 'toy' as DeploymentId,
    issuedAt: Date.now(),
    order: [7, 0, 3, 1],
    desired: { target: v1!.digest, candidate: null, shareMax: 0, shadow: false, pace: 'at-once', fallback: true },
    grant: null,
    because: sha256('decision'),
    policy: sha256('policy'),
  }
  expect(await post(signCommand(command, await keyOf('author')))).toMatchObject({ status: 422 })
  expect(await post(signCommand(command, await keyOf('governor')))).toMatchObject({
    status: 200,
    body: { order: [7, 0, 3, 1], outcome: 'kept' },
  })
  await until('the platform falls back', () => toy.router.told.at(-1)?.fallback === true)
  expect((await state()).deployments).toMatchObject([{ deployment: 'toy', order: [7, 0, 3, 1] }])
  expect(await readdir(join(toy.files.data, 'agent'))).toContain('command-toy.json')
})
