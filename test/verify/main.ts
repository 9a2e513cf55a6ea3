/**
 * `npm test`: every check of the project in one run. Each static check counts as one test; the last line is the sum.
 * A suite that this machine cannot run is named; with INTERLOCK_REQUIRE=all it is a failure.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Check {
  readonly name: string
  readonly command: readonly string[]
}

const staticChecks: readonly Check[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'lint and format', command: ['biome', 'check', '--error-on-warnings', '.'] },
  {
    name: 'layers',
    command: ['depcruise', 'packages', 'services', 'examples', 'test', '--config', '.dependency-cruiser.json'],
  },
]

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numFailedTestSuites: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

function run(command: readonly string[], inherit: boolean): Promise<{ code: number; output: string }> {
  const [program = '', ...rest] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      stdio: inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', NO_UPDATE_NOTIFIER: '1' },
    })
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

let passed = 0
let failed = 0

for (const check of staticChecks) {
  const began = performance.now()
  const { code, output } = await run(check.command, false)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  if (code === 0) passed++
  else {
    failed++
    process.stdout.write(`${output}\n`)
  }
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${check.name} ${seconds} s\n`)
}

const folder = await mkdtemp(join(tmpdir(), 'interlock-verify-'))
try {
  const file = join(folder, 'report.json')
  const { code } = await run(
    ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...process.argv.slice(2)],
    true,
  )
  const report = JSON.parse(await readFile(file, 'utf8')) as VitestReport
  // A file that fails to load reports no test of its own; it must still count.
  const broken = report.testResults.filter((one) => one.status === 'failed' && one.assertionResults.length === 0).length
  passed += report.numPassedTests
  failed += report.numFailedTests + broken
  if (code !== 0 && report.numFailedTests + broken === 0) failed++
} catch (error) {
  failed++
  process.stdout.write(`vitest left no report: ${String(error)}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
