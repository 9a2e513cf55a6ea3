import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const config = join(root, '.dependency-cruiser.json')

async function cruise(files: Readonly<Record<string, string>>): Promise<{ code: number; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-layers-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  try {
    const { stdout } = await promisify(execFile)(
      join(root, 'node_modules/.bin/depcruise'),
      ['packages', 'services', '--config', config],
      { cwd: folder },
    )
    return { code: 0, output: stdout }
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string }
    return { code, output: stdout }
  }
}

const good = {
  'packages/contracts/src/a.ts': 'export const a = 1\n',
  'packages/statistics/src/s.ts': "import { a } from '../../contracts/src/a.ts'\nexport const s = a\n",
  'services/agent/src/x.ts': 'export const x: number = 1\n',
  'services/agent/src/processor.ts': "import { a } from '../../../packages/contracts/src/a.ts'\nexport const p = a\n",
  'packages/runtime/src/r.ts': 'export const r = 1\n',
}

test('imports that go downwards pass the layer check', async () => {
  expect(await cruise(good)).toMatchObject({ code: 0 })
})

test.each([
  [
    'contracts-is-the-ground-floor',
    'packages/contracts/src/b.ts',
    "import { s } from '../../statistics/src/s.ts'\nexport const b = s\n",
  ],
  [
    'mathematics-imports-contracts-only',
    'packages/statistics/src/t.ts',
    "import { r } from '../../runtime/src/r.ts'\nexport const t = r\n",
  ],
  [
    'no-service-imports-another',
    'services/governor/src/y.ts',
    "import { x } from '../../agent/src/x.ts'\nexport const y = x\n",
  ],
  [
    'shell-imports-downwards',
    'packages/runtime/src/q.ts',
    "import { x } from '../../../services/agent/src/x.ts'\nexport const q = x\n",
  ],
  [
    'processors-are-pure',
    'services/evaluator/src/processor.ts',
    "import { r } from '../../../packages/runtime/src/r.ts'\nexport const p = r\n",
  ],
  [
    'pure-code-does-no-input-or-output',
    'packages/policy/src/f.ts',
    "import { readFileSync } from 'node:fs'\nexport const f = readFileSync\n",
  ],
  [
    'stores-stay-in-runtime',
    'services/profiler/src/d.ts',
    "import { DatabaseSync } from 'node:sqlite'\nexport const d = DatabaseSync\n",
  ],
])('a planted import against the rule %s is found', async (rule, path, text) => {
  const { code, output } = await cruise({ ...good, [path]: text })
  expect(output).toContain(rule)
  expect(code).toBeGreaterThan(0)
})
