/**
 * Agents that are broken on purpose, each in one way: `node broken-agent.ts <bug>`. The conformance kit must find every
 * one; without a bug the same program is a sound agent.
 */
import { readFile } from 'node:fs/promises'
import {
  agentFromFiles,
  digests,
  type Platform,
  parseObserved,
  parseReadiness,
  requestJson,
  runAgent,
  setupFromEnvironment,
  type Verified,
} from '@interlock/client/agent'
import {
  type Command,
  type DsseEnvelope,
  type KeysetDocument,
  type Observed,
  verifyCommand,
} from '@interlock/contracts'

export const bugs = [
  'takes-older-orders',
  'without-compare-and-set',
  'believes-its-memory',
  'forgets-at-a-restart',
  'without-audience',
  'without-signature',
  'without-role',
  'without-grants',
  'without-readiness',
] as const
export type Bug = (typeof bugs)[number]

async function main(bug: Bug | undefined): Promise<void> {
  const stop = new AbortController()
  process.on('SIGTERM', () => stop.abort())
  const setup = await setupFromEnvironment()
  const sound = await agentFromFiles(setup, platform(process.env.INTERLOCK_PLATFORM_URL ?? '', bug), stop.signal)
  const { kept, ...forgetful } = sound
  const options = bug === 'forgets-at-a-restart' || kept === undefined ? forgetful : { ...forgetful, kept }
  const verify = await check(bug, sound.verify, setup.keysetFile)
  await runAgent({ ...options, verify }, stop.signal)
}

function platform(base: string, bug: Bug | undefined): Platform {
  const ask = (path: string, init: RequestInit = {}) => requestJson(new URL(path, base).href, init)
  let remembered: Observed | undefined
  return {
    kind: 'broken',
    async observe() {
      const answer = (await ask('/state')).body
      if (bug === 'believes-its-memory' && remembered !== undefined) return remembered
      return parseObserved(answer, base)
    },
    async targets() {
      return digests(((await ask('/state')).body as { targets?: unknown }).targets, 'targets', base)
    },
    async ready(target) {
      const ready = parseReadiness((await ask(`/ready?target=${target}`)).body, base)
      return bug === 'without-readiness' ? { ...ready, ok: true } : ready
    },
    async apply(desired, command, _signed, ifVersion) {
      const { target: stable, candidate, shareMax: share, shadow, fallback } = desired
      const wish = { generation: command.order[0], stable, candidate, share, shadow, fallback }
      const { status, body } = await ask('/state', {
        method: 'PUT',
        headers: { 'if-match': bug === 'without-compare-and-set' ? '*' : ifVersion },
        body: JSON.stringify(wish),
      })
      if (status === 412) {
        remembered = undefined
        return 'conflict'
      }
      if (status !== 200) return { refused: String(status) }
      remembered = { ...wish, version: (body as Observed).version }
      return 'applied'
    },
  }
}

/** The check of a command, with a hole in it. */
async function check(
  bug: Bug | undefined,
  sound: (bytes: Uint8Array) => Verified,
  keysetFile: string,
): Promise<(bytes: Uint8Array) => Verified> {
  const { keys } = JSON.parse(await readFile(keysetFile, 'utf8')) as KeysetDocument
  let raised = 1_000
  return (bytes) => {
    switch (bug) {
      case 'takes-older-orders': {
        // Every command counts as newer than all before.
        const verified = sound(bytes)
        return 'refused' in verified
          ? verified
          : { ...verified, command: { ...verified.command, order: [verified.command.order[0], 0, 0, raised++] } }
      }
      case 'without-grants': {
        const verified = sound(bytes)
        return 'refused' in verified ? verified : { ...verified, command: { ...verified.command, grant: null } }
      }
      case 'without-audience': {
        const verified = verifyCommand(bytes, keys)
        return verified.ok ? { command: verified.value, signed: bytes } : { refused: verified.detail }
      }
      case 'without-role': {
        const all = keys.map((key) => ({ ...key, roles: ['governor'] as const }))
        const verified = verifyCommand(bytes, all)
        return verified.ok && verified.value.audience === process.env.INTERLOCK_AGENT
          ? { command: verified.value, signed: bytes }
          : { refused: 'not verified' }
      }
      case 'without-signature':
        try {
          const { payload } = JSON.parse(Buffer.from(bytes).toString()) as DsseEnvelope
          const command = JSON.parse(Buffer.from(payload, 'base64').toString()) as Command
          return command.audience === process.env.INTERLOCK_AGENT ? { command, signed: bytes } : { refused: 'not ours' }
        } catch {
          return { refused: 'no JSON' }
        }
      default:
        return sound(bytes)
    }
  }
}

if (process.argv[1] === import.meta.filename) await main(process.argv[2] as Bug | undefined)
