import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readIfThere, writeDurably } from '@interlock/runtime'
import type { WatchState } from './state.ts'

/** The state that a watcher of before left, or null where there is none. @throws Error when it cannot be read */
export async function readState(path: string): Promise<WatchState | null> {
  const text = await readIfThere(path)
  if (text === null) return null
  try {
    const state = JSON.parse(text) as WatchState
    if (state.v !== 1) throw new Error(`it is of version ${String(state.v)}, and this build reads version 1`)
    return state
  } catch (error) {
    throw new Error(
      `${path}: is no state of a watcher (${error instanceof Error ? error.message : String(error)}). Move it away: the` +
        ' watcher then starts anew and pages again what is still wrong',
    )
  }
}

/** Replaces the file as a whole; resolves once the disk has it. */
export async function writeState(path: string, state: WatchState): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeDurably(path, JSON.stringify(state))
}
