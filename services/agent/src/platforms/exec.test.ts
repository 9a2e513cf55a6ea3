import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileIntent, Reconciler } from '@interlock/client/agent'
import type { Command, DeploymentId } from '@interlock/contracts'
import { sha256 } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { execPlatform } from './exec.ts'

const v1 = sha256('v1')
const command: Command = {
  v: 1,
  environment: 'test',
  audience: 'agent-1' as Command['audience'],
  deployment: 'd' as DeploymentId,
  issuedAt: 0,
  order: [2, 0, 3, 4],
  desired: { target: v1, candidate: null, shareMax: 0, shadow: false, pace: 'at-once', fallback: false },
  grant: null,
  because: sha256('x'),
  policy: sha256('p'),
}

async function platformOf(applyScript: string) {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-exec-'))
  const script = async (name: string, body: string): Promise<string> => {
    const path = join(folder, name)
    await writeFile(path, `#!/bin/sh\ncd "$(dirname "$0")"\n${body}\n`)
    await chmod(path, 0o755)
    return path
  }
  const state = { version: '1', generation: 1, stable: v1, candidate: null, share: 0, targets: [v1] }
  await writeFile(join(folder, 'state.json'), JSON.stringify(state))
  const intent = fileIntent(join(folder, 'intent.json'))
  const platform = execPlatform({
    apply: [await script('apply', applyScript)],
    observe: [await script('observe', 'cat state.json')],
    ready: [await script('ready', 'echo "{\\"ready\\":true,\\"checks\\":[{\\"name\\":\\"$1\\",\\"ok\\":true}]}"')],
    intent,
  })
  return { folder, platform, intent }
}

test('a program gets the signed command and the desired state on its input, and its exit code is the answer', async () => {
  const { folder, platform, intent } = await platformOf('cat > got.json')
  const signed = new TextEncoder().encode('{"signed":"bytes"}')
  expect(await platform.apply(command.desired, command, signed, '1')).toBe('applied')
  const got = JSON.parse(await readFile(join(folder, 'got.json'), 'utf8')) as Record<string, unknown>
  expect(got).toMatchObject({ command: '{"signed":"bytes"}', order: [2, 0, 3, 4], ifVersion: '1' })
  expect(await intent.unfinished()).toBeNull()
  expect(await platform.observe()).toMatchObject({ version: '1', stable: v1, share: 0 })
  expect(await platform.targets()).toEqual([v1])
  expect((await platform.ready(v1)).checks[0]?.name).toBe(v1)
})

test('a program that fails leaves its intent on disk, so a restart knows that an effect may be half done', async () => {
  const { platform, intent } = await platformOf('cat > /dev/null; echo "no route to cluster" >&2; exit 3')
  expect(await platform.apply(command.desired, command, new Uint8Array(), '1')).toEqual({
    refused: expect.stringContaining('no route to cluster'),
  })
  expect(await intent.unfinished()).toEqual([2, 0, 3, 4])
})

test('exit code 75 is a conflict', async () => {
  const { platform } = await platformOf('cat > /dev/null; exit 75')
  expect(await platform.apply(command.desired, command, new Uint8Array(), '1')).toBe('conflict')
})

test('an intent that a crash left is met by running apply once more, though what is observed looks right', async () => {
  const { intent, folder } = await platformOf('cat > /dev/null; echo once >> runs')
  await intent.begin(command, command.desired)
  // A new process finds the intent on disk.
  const restarted = execPlatform({
    apply: [join(folder, 'apply')],
    observe: [join(folder, 'observe')],
    ready: [join(folder, 'ready')],
    intent: fileIntent(join(folder, 'intent.json')),
  })
  const facts: string[] = []
  const reconciler = new Reconciler({
    deployment: command.deployment,
    platform: restarted,
    monotonic: () => 0,
    report: async ({ kind }) => void facts.push(kind),
    observeEveryMs: 1e12,
    readinessEveryMs: 1e12,
  })
  const state = { version: '1', generation: 2, stable: v1, candidate: null, share: 0, targets: [v1] }
  await writeFile(join(folder, 'state.json'), JSON.stringify(state))
  await reconciler.take({ command, signed: new Uint8Array() }, false)
  await reconciler.turn()
  await reconciler.turn()
  expect(await readFile(join(folder, 'runs'), 'utf8')).toBe('once\n')
  expect(facts).toContain('applied')
})
