import { commandCheck } from '@interlock/client/agent'
import { seededRandom } from '@interlock/runtime'
import { expect, test } from 'vitest'
import { commands, families, keys, mine, originals } from './command-mutants.ts'

const seed = 20_261_124
const mutants = 100_000

test(`of ${mutants} mutants of signed commands none is accepted (seed ${seed})`, { timeout: 240_000 }, () => {
  const check = commandCheck(mine, () => ({ keys }), Date.now)
  // What is mutated is sound: otherwise nothing would be shown.
  expect(originals.map((signed) => check(signed))).toMatchObject(commands.map((command) => ({ command })))

  const random = seededRandom(seed)
  const known = new Set(originals.map((signed) => Buffer.from(signed).toString('latin1')))
  const names = Object.keys(families)
  const tried = new Map<string, number>()
  const reasons = new Map<string, number>()
  const accepted: string[] = []
  const startedAt = performance.now()
  for (let made = 0; made < mutants; ) {
    const name = names[made % names.length] as string
    const mutant = families[name]?.(random) ?? ''
    const bytes = typeof mutant === 'string' ? Buffer.from(mutant, 'utf8') : mutant
    if (known.has(Buffer.from(bytes).toString('latin1'))) continue
    made++
    tried.set(name, (tried.get(name) ?? 0) + 1)
    const taken = check(bytes)
    if (!('refused' in taken)) accepted.push(`${name}: ${Buffer.from(bytes).toString('base64')}`)
    else {
      const reason = taken.refused.startsWith('its ') ? 'unlawful' : (taken.refused.split(/[:"]/)[0] as string)
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    }
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  console.info(
    `seed ${seed}: ${mutants} mutants in ${seconds} s, ${accepted.length} accepted`,
    Object.fromEntries(reasons),
  )
  expect(accepted.length, accepted.slice(0, 3).join('\n')).toBe(0)
  // Every check refuses some: none of the families is refused by the first check alone.
  for (const reason of [
    'malformed',
    'wrong-payload-type',
    'unknown-key',
    'wrong-role',
    'bad-key',
    'bad-signature',
    'wrong-shape',
  ])
    expect(reasons.get(reason) ?? 0, reason).toBeGreaterThan(100)
  for (const reason of ['it is for environment ', 'it is for agent ', 'it is for deployment ', 'unlawful'])
    expect(reasons.get(reason) ?? 0, reason).toBeGreaterThan(100)
  expect([...tried.values()].every((count) => count >= mutants / names.length - 1)).toBe(true)
})
