import { existsSync, globSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Stryker } from '@stryker-mutator/core'
import { testsVariable } from './tests-variable.ts'

/**
 * `npm run mutate [-- <file> …]`: breaks each file in many small ways, one at a time (an operator, a condition, a constant),
 * and prints which of the broken ones its tests let pass. Without files: all of packages/statistics, which takes about an hour.
 *
 * A mutant is tried on the tests of its own file and on what the package recorded of itself, so that the figure tells what
 * they pin and not what a simulation elsewhere would stumble over. A file without tests of its own is tried on all of its folder.
 */
const wholePackage = 'packages/statistics'
/** Measures false alarms over hundreds of canaries: too slow to be run once a mutant. */
const slowTests = ['late-onset.test.ts']
/** Lists of names, and what only tests import. */
const notProduct = ['index.ts', 'seeded.ts', 'panes.ts', 'recorded-cases.ts', 'generate-recorded.ts']
type Options = ConstructorParameters<typeof Stryker>[0]

/** A mutant that hangs is killed after the time of the tests, half as much again, and this. */
const timeoutMs = 3_000

const root = process.cwd()
const given = process.argv.slice(2).filter((each) => !each.startsWith('--'))
const files = given.length > 0 ? given : sourcesOf(wholePackage)
const rows: Record<string, string | number>[] = []
for (const file of files) rows.push(await mutate(file))
if (rows.length > 1) {
  const sum = (key: string): number => rows.reduce((total, row) => total + Number(row[key]), 0)
  rows.push(rowOf('all', { killed: sum('killed'), survived: sum('survived') }))
}
console.table(rows)

function sourcesOf(folder: string): readonly string[] {
  return globSync('src/**/*.ts', { cwd: folder })
    .filter((file) => !file.endsWith('.test.ts') && !notProduct.includes(basename(file)))
    .map((file) => join(folder, file))
    .sort()
}

/** Tests of a file, from its package: its own, or those of its folder; and what the package has recorded of itself. */
function testsOf(file: string): readonly string[] {
  const own = file.replace(/\.ts$/, '.test.ts')
  const folder = dirname(file)
  const beside = globSync('*.test.ts', { cwd: folder })
    .filter((test) => !slowTests.includes(test))
    .map((test) => join(folder, test))
  const recorded = 'src/recorded.test.ts'
  return [...new Set([...(existsSync(own) ? [own] : beside), ...(existsSync(recorded) ? [recorded] : [])])]
}

async function mutate(path: string): Promise<Record<string, string | number>> {
  const [folder, file] = [path.split('/').slice(0, 2).join('/'), path.split('/').slice(2).join('/')]
  // Run inside the package, so that the copy that is broken is that of one package, beside its own node_modules.
  process.chdir(join(root, folder))
  process.env[testsVariable] = testsOf(file).join(' ')
  const options: Options & { readonly vitest: { related: boolean; configFile: string } } = {
    mutate: [file],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { related: false, configFile: resolve(import.meta.dirname, 'vitest.config.ts') },
    reporters: [],
    concurrency: 1,
    timeoutMS: timeoutMs,
    logLevel: 'error' as NonNullable<Options['logLevel']>,
  }
  const mutants = await new Stryker(options).runMutationTest()
  const left = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
  for (const { location, mutatorName, replacement } of left) {
    console.log(`${path}:${location.start.line}:${location.start.column}  ${mutatorName}  →  ${replacement}`)
  }
  const killed = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout').length
  const row = rowOf(path, { killed, survived: left.length })
  console.log(JSON.stringify(row))
  process.chdir(root)
  return row
}

function rowOf(file: string, { killed, survived }: { readonly killed: number; readonly survived: number }) {
  const score = Math.round((1_000 * killed) / Math.max(1, killed + survived)) / 10
  return { file, killed, survived, score }
}
