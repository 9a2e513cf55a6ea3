import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { commandCheck } from '@interlock/client/agent'
import { signCommand } from '@interlock/contracts'
import { seededRandom } from '@interlock/runtime'
import { describe, expect, test } from 'vitest'
import { commands, families, governor, keys, mine, originals } from './command-mutants.ts'

const program = resolve(import.meta.dirname, '../../examples/python/verify_command.py')
const seed = 20_261_124
const hasPython = spawnSync('python3', ['--version']).status === 0
const names = Object.keys(families)

async function python(
  input: string | Uint8Array,
  ...options: readonly string[]
): Promise<{ code: number; stdout: string }> {
  const keyset = join(await mkdtemp(join(tmpdir(), 'interlock-python-')), 'keyset.json')
  await writeFile(keyset, JSON.stringify({ kind: 'keyset', version: 1, keys }))
  const child = spawn('python3', [program, keyset, mine.environment, mine.agent, 'flight-delay', ...options])
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8')
  })
  child.stdin.end(input)
  const code = await new Promise<number>((done) => child.on('close', (status) => done(status ?? -1)))
  return { code, stdout }
}

async function verdicts(envelopes: readonly Uint8Array[], ...options: readonly string[]): Promise<readonly string[]> {
  const lines = envelopes.map((bytes) => Buffer.from(bytes).toString('base64')).join('\n')
  return (await python(lines, '--lines', ...options)).stdout.trimEnd().split('\n')
}

describe.runIf(hasPython)('a Python program with the public keys only', () => {
  test('reads the commands that the governor signed, and says why it refuses another', async () => {
    const accepted = await python(originals[0] as Uint8Array)
    expect(accepted.code).toBe(0)
    expect(JSON.parse(accepted.stdout)).toEqual(commands[0])
    const forged = Buffer.from(originals[0] as Uint8Array)
    forged[400] = (forged[400] as number) ^ 1
    expect((await python(forged)).code).toBe(1)
    expect((await python(forged)).stdout).toMatch(/^refused: /)
  })

  test.each([[['--own']], [[]]])('agrees on shares of any size with the number form of JSON (%s)', async (options) => {
    const random = seededRandom(seed)
    const shares = [
      0,
      1,
      0.5,
      0.1 + 0.2,
      1e-7,
      1.5e-9,
      5e-324,
      0.000001,
      0.0000012,
      1 / 3,
      ...Array.from({ length: 30 }, random),
    ]
    const signed = shares.map((shareMax, index) => {
      const [command] = commands
      if (command === undefined) throw new Error('there are commands')
      return signCommand(
        { ...command, issuedAt: index * 1e12, desired: { ...command.desired, shareMax } },
        governor.signer,
      )
    })
    const shown = (await verdicts(signed, ...options)).map(
      (line) => (JSON.parse(line) as (typeof commands)[0]).desired.shareMax,
    )
    expect(shown).toEqual(shares)
  })

  test.each([
    ['its own Ed25519', 600, ['--own']],
    ['the cryptography package where there is one', 3_000, []],
  ])(`with %s refuses each of %i mutants, as our agent does (seed ${seed})`, async (_, count, options) => {
    const random = seededRandom(seed)
    const known = new Set(originals.map((signed) => Buffer.from(signed).toString('latin1')))
    const mutants: Uint8Array[] = []
    while (mutants.length < count) {
      const mutant = families[names[mutants.length % names.length] as string]?.(random) ?? ''
      const bytes = typeof mutant === 'string' ? Buffer.from(mutant, 'utf8') : mutant
      if (!known.has(Buffer.from(bytes).toString('latin1'))) mutants.push(bytes)
    }
    const check = commandCheck(mine, () => ({ keys }), Date.now)
    expect(mutants.filter((bytes) => !('refused' in check(bytes)))).toEqual([])
    const said = await verdicts(mutants, ...options)
    expect(said).toHaveLength(count)
    expect(said.filter((line) => !line.startsWith('refused: '))).toEqual([])
    const reasons = new Set(said)
    for (const reason of ['bad signature', 'wrong role', 'unknown key', 'not canonical JSON', 'another audience'])
      expect(reasons).toContain(`refused: ${reason}`)
  })
})
