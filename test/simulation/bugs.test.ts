import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { bugs } from './bugs.ts'
import { tryBug } from './hunt.ts'

const home = fileURLToPath(new URL('../../', import.meta.url))

describe('seeded bugs', () => {
  test('there are forty and more, each with a name of its own', () => {
    expect(bugs.length).toBeGreaterThanOrEqual(40)
    expect(new Set(bugs.map(({ name }) => name)).size).toBe(bugs.length)
  })

  test.each(bugs)('$name: its text stands once in the code', ({ edits }) => {
    for (const { file, find } of edits) expect(readFileSync(home + file, 'utf8').split(find), file).toHaveLength(2)
  })

  test.concurrent.each(bugs)('$name: the simulation catches it', { timeout: 600_000 }, async (bug) => {
    const { invariant, text } = await oneOfTwo(() => tryBug(bug, [bug.seed], 300_000))
    expect(invariant, `${bug.what}: ${text}`).not.toBe(null)
  })
})

/** Two processes at a time, as many as a small machine has cores. */
const slots = [Promise.resolve<unknown>(undefined), Promise.resolve<unknown>(undefined)]
let turn = 0
function oneOfTwo<Result>(work: () => Promise<Result>): Promise<Result> {
  const slot = turn++ % slots.length
  const result = slots[slot]!.then(work)
  slots[slot] = result.catch(() => undefined)
  return result
}
