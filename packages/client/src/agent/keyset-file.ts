import { readFile } from 'node:fs/promises'
import {
  contentHash,
  documentProblem,
  type KeyEntry,
  type KeysetDocument,
  parseStrict,
  verifyRequest,
} from '@interlock/contracts'
import type { Clock } from '@interlock/runtime'
import { readIfThere, writeDurably } from '@interlock/runtime'
import type { KeysInForce } from './check-command.ts'

/** How often the file is looked at: a revoked key is refused well within the promised 60 s. */
export const keysetReloadMs = 2_000

export interface KeysetFile {
  /** The newest keyset that was read. */
  current(): KeysInForce & { readonly version: number }
  /** Reads the file again every `keysetReloadMs` until `signal` is aborted. */
  follow(signal: AbortSignal): Promise<void>
}

/**
 * The keyset in a file: the plain document, or the request that carries it, signed by the root key.
 *
 * Its version only rises: an older one is refused, also after a restart if `remember` names a file for the highest
 * version that was ever read. A file that cannot be read later leaves the keyset as it was, and is told.
 *
 * @param root the root's public key; with it only a signed keyset counts
 * @throws Error when there is no lawful keyset at the start.
 */
export async function openKeysetFile(options: {
  readonly path: string
  readonly root?: KeyEntry
  readonly remember?: string
  readonly clock: Clock
  readonly tell: (level: 'info' | 'warn', message: string, details: Readonly<Record<string, unknown>>) => void
}): Promise<KeysetFile> {
  const { path, root, remember, clock, tell } = options
  let highest = remember === undefined ? 0 : Number((await readIfThere(remember)) ?? 0)
  let text = await readFile(path)
  let keyset = accepted(text, undefined)

  function accepted(bytes: Uint8Array, before: KeysetDocument | undefined): KeysetDocument {
    const read = readKeyset(bytes, path, root)
    if (read.version < highest)
      throw new Error(
        `${path} holds keyset version ${read.version}, and version ${highest} was in force before: an older keyset could ` +
          'bring a revoked key back, so it is refused. Put the newest keyset there.',
      )
    if (read.version === highest && before !== undefined && contentHash(read) !== contentHash(before))
      throw new Error(`${path} holds another keyset of version ${highest} than the one in force: raise its version`)
    highest = read.version
    return read
  }
  const note = async (): Promise<void> => {
    if (remember !== undefined) await writeDurably(remember, String(highest))
  }
  await note()
  return {
    current: () => keyset,
    async follow(signal) {
      let complaint: string | undefined
      while (!signal.aborted) {
        await clock.sleep(keysetReloadMs, signal)
        try {
          const now = await readFile(path)
          if (!now.equals(text)) {
            keyset = accepted(now, keyset)
            text = now
            await note()
            tell('info', 'a new keyset is in force', { version: keyset.version })
          }
          complaint = undefined
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error)
          if (message !== complaint) tell('warn', message, { keyset: path })
          complaint = message
        }
      }
    },
  }
}

function readKeyset(bytes: Uint8Array, path: string, root: KeyEntry | undefined): KeysetDocument {
  if (root !== undefined) {
    const verified = verifyRequest(Buffer.from(Buffer.from(bytes).toString('utf8').trimEnd(), 'utf8'), [root])
    if (!verified.ok) throw new Error(`${path} is no keyset signed by the root key: ${verified.detail}`)
    const { request } = verified.value
    if (request.kind !== 'document' || request.document.kind !== 'keyset')
      throw new Error(`${path} holds a signed ${request.kind}, and a keyset is needed`)
    return request.document
  }
  const value = parseStrict(bytes) as unknown as KeysetDocument
  const problem =
    typeof value !== 'object' || value === null || value.kind !== 'keyset'
      ? 'it is not of kind "keyset"'
      : documentProblem(value)
  if (problem !== null) throw new Error(`${path} holds no keyset: ${problem}`)
  return value
}
