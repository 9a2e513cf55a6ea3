import { spawn } from 'node:child_process'
import {
  digests,
  type Intent,
  type Platform,
  PlatformError,
  parseObserved,
  parseReadiness,
  platformTimeoutMs,
} from '@interlock/client/agent'
import type { Hash } from '@interlock/contracts'

/** Most that a command may print before it is ended. */
const outputLimit = 256 * 1024

/**
 * A platform driven by three programs of the operator: `apply` gets the signed command and the desired state as JSON on
 * standard input and changes the platform, `observe` prints the observed state as JSON, `ready` (called with the digest
 * as last argument) prints a readiness answer. Programs are run without a shell; exit code 0 is success, 75 (EX_TEMPFAIL)
 * a conflict. No compare-and-set is assumed, so an intent is on disk before each change; where one was left by a crash,
 * `apply` runs once more though what is observed looks right, so it must be repeatable.
 */
export function execPlatform(options: {
  readonly apply: readonly string[]
  readonly observe: readonly string[]
  readonly ready: readonly string[]
  readonly applyTimeoutMs?: number
  readonly intent: Intent
}): Platform {
  const json = async (argv: readonly string[]): Promise<unknown> => {
    const { code, output, complaint } = await run(argv, '', platformTimeoutMs)
    if (code !== 0) throw new PlatformError(`\`${argv.join(' ')}\` ended with ${code}: ${complaint.slice(0, 200)}`)
    try {
      return JSON.parse(output) as unknown
    } catch {
      throw new PlatformError(`\`${argv.join(' ')}\` printed text that is not JSON: ${output.slice(0, 80)}`)
    }
  }
  const observeName = `\`${options.observe.join(' ')}\``
  return {
    kind: 'exec',
    async observe() {
      return parseObserved(await json(options.observe), observeName)
    },
    async targets() {
      const { targets } = (await json(options.observe)) as { targets?: unknown }
      return digests(targets, 'targets', observeName)
    },
    async ready(target: Hash) {
      return parseReadiness(await json([...options.ready, target]), `\`${options.ready.join(' ')}\``)
    },
    async apply(desired, command, signed, ifVersion) {
      await options.intent.begin(command, desired)
      const input = JSON.stringify({
        command: new TextDecoder().decode(signed),
        desired,
        order: command.order,
        ifVersion,
      })
      const { code, complaint } = await run(options.apply, input, options.applyTimeoutMs ?? 60_000)
      if (code === 75) {
        await options.intent.done()
        return 'conflict'
      }
      if (code !== 0)
        return { refused: `\`${options.apply.join(' ')}\` ended with ${code}: ${complaint.slice(0, 200)}` }
      await options.intent.done()
      return 'applied'
    },
    unfinished: async () => (await options.intent.unfinished()) !== null,
  }
}

function run(
  argv: readonly string[],
  input: string,
  timeoutMs: number,
): Promise<{ code: number | null; output: string; complaint: string }> {
  const [program, ...args] = argv
  if (program === undefined) throw new PlatformError('the exec platform was given an empty command')
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', timeout: timeoutMs, killSignal: 'SIGKILL' })
    let output = ''
    let complaint = ''
    const bounded = (text: string, chunk: Buffer): string => {
      if (text.length + chunk.length > outputLimit) child.kill('SIGKILL')
      return (text + chunk.toString('utf8')).slice(0, outputLimit)
    }
    child.stdout.on('data', (chunk: Buffer) => {
      output = bounded(output, chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = bounded(complaint, chunk)
    })
    child.stdin.on('error', () => {
      // A program that does not read its input is judged by its exit code.
    })
    child.on('error', (error) => reject(new PlatformError(`cannot run \`${program}\`: ${error.message}`)))
    child.on('close', (code, signal) =>
      resolve({ code, output, complaint: complaint || (signal ? `ended by ${signal}` : '') }),
    )
    child.stdin.end(input)
  })
}
