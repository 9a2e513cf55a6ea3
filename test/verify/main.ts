/**
 * `npm test`: every check of the project in one run. Each static check counts as one test; the last line is the sum.
 * A suite that this machine cannot run is named; with INTERLOCK_REQUIRE=all it is a failure.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

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
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly unknown[]
  }[]
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

interface Outcome {
  readonly passed: number
  readonly failed: number
  /** Files with a failure, or that did not load, relative to the project. */
  readonly failedFiles: readonly string[]
}

async function tests(folder: string, ...options: readonly string[]): Promise<Outcome> {
  const file = join(folder, 'report.json')
  await rm(file, { force: true })
  const { code } = await run(
    ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...options],
    true,
  )
  const report = JSON.parse(await readFile(file, 'utf8')) as VitestReport
  const failing = report.testResults.filter(({ status }) => status === 'failed')
  // A file that fails to load reports no test of its own; it must still count.
  const broken = failing.filter(({ assertionResults }) => assertionResults.length === 0).length
  const failures = report.numFailedTests + broken
  return {
    passed: report.numPassedTests,
    failed: code !== 0 && failures === 0 ? 1 : failures,
    failedFiles: failing.map(({ name }) => relative(process.cwd(), name)),
  }
}

/** Twenty simulated hours keep every core busy: alone they take two to three minutes, beside the others they starve them. */
const simulation = 'test/simulation/simulation.test.ts'

/**
 * Suites of real processes, brokers and browsers measure themselves against the clock, and share the machine with all
 * others. What fails there is run once more with the machine to itself, and said to be so. A simulated run is not:
 * its seed decides, not the machine.
 */
const mayBeStarved = (file: string): boolean => /^test\/(?!simulation\/|house\/|order-law\/)/.test(file)
const fewEnough = 3

const folder = await mkdtemp(join(tmpdir(), 'interlock-verify-'))
try {
  const chosen = process.argv.slice(2)
  if (chosen.length === 0) {
    const simulated = await tests(folder, simulation)
    passed += simulated.passed
    failed += simulated.failed
  }
  const first = await tests(folder, ...(chosen.length === 0 ? ['--exclude', simulation] : chosen))
  passed += first.passed
  failed += first.failed
  const { failedFiles: files } = first
  if (files.length > 0 && files.length <= fewEnough && files.every(mayBeStarved)) {
    process.stdout.write(`once more, alone: ${files.join(', ')}\n`)
    const again = await tests(folder, '--maxWorkers=1', ...files)
    if (again.failed === 0) {
      passed += first.failed
      failed -= first.failed
      process.stdout.write(`failed beside the others and passed alone, ${first.failed}: ${files.join(', ')}\n`)
    }
  }
} catch (error) {
  failed++
  process.stdout.write(`vitest left no report: ${String(error)}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
