/**
 * A real schema registry for tests: the one that INTERLOCK_TEST_REGISTRY names (the URL of Confluent's REST API), else
 * Apicurio Registry in one process on the loopback, in memory (Java 17 or later; Maven fetches it once into a cache, 140 MB).
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort, madeOnce } from '../../packages/cli/src/demo/kafka-jars.ts'

const version = '2.6.13.Final'
const restPath = '/apis/ccompat/v7'
const readyWithinMs = 60_000
const run = promisify(execFile)

export const howToRun = [
  'NOT RUN: the tests on a real schema registry. One of these makes them run:',
  '  - Java 17 or later, tar and Maven (mvn) on the path, and Maven Central within reach at the first run',
  '  - INTERLOCK_TEST_REGISTRY=http://host:port of a registry for tests, with the path of its Confluent API',
].join('\n')

export interface TestRegistry {
  /** Through a line of our own that can be cut. */
  readonly url: string
  /** Past the line. */
  readonly direct: string
  /** Refuses all connections until `mend`. */
  cut(): void
  mend(): void
  remove(): Promise<void>
}

/** The registry, or null where there is none (and the console says so). */
export async function anyRegistry(): Promise<TestRegistry | null> {
  const given = process.env.INTERLOCK_TEST_REGISTRY
  if (given) return behindLine(new URL(given), async () => {})
  let folder: string
  try {
    folder = await madeOnce(`apicurio-${version}`, fetched)
  } catch (error) {
    console.error(`\n${howToRun}\nWhat is missing here: ${(error as Error).message}\n`)
    return null
  }
  const port = await freePort()
  const jar = readdirSync(folder).find((name) => name.endsWith('-runner.jar'))!
  const options = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx192m', '-XX:-UsePerfData']
  const listen = ['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`]
  const child = spawn('java', [...options, ...listen, '-jar', jar], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  process.once('exit', () => child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-4_000)
    })
  }
  const url = new URL(`http://127.0.0.1:${port}${restPath}`)
  for (const until = Date.now() + readyWithinMs; !(await answers(url)); await sleep(200)) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`Apicurio did not start:\n${said}`)
  }
  return behindLine(url, () => stopped(child))
}

async function fetched(folder: string): Promise<void> {
  await run('java', ['-version']).catch(() => {
    throw new Error('there is no java on the path')
  })
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
  const artifact = `-Dartifact=io.apicurio:apicurio-registry-app:${version}:tar.gz:all`
  const maven = (...goal: readonly string[]) =>
    run('mvn', ['-B', '-q', ...goal, artifact], { cwd: folder }).catch((error: Error) => {
      throw new Error(`Maven did not fetch Apicurio Registry ${version}: ${error.message.slice(0, 500)}`)
    })
  await maven(`${copy}:get`, '-Dtransitive=false')
  await maven(`${copy}:copy`, `-DoutputDirectory=${folder}`)
  const archive = join(folder, `apicurio-registry-app-${version}-all.tar.gz`)
  await run('tar', ['xzf', archive, '-C', folder])
  rmSync(archive)
}

async function answers(url: URL): Promise<boolean> {
  const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(2_000) }).catch(() => null)
  return response?.ok === true
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

async function behindLine(target: URL, stop: () => Promise<void>): Promise<TestRegistry> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return void client.destroy()
    const upstream = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const cutAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const path = target.pathname.replace(/\/$/, '')
  return {
    direct: target.origin + path,
    url: `http://127.0.0.1:${port}${path}`,
    cut() {
      isCut = true
      cutAll()
    },
    mend() {
      isCut = false
    },
    async remove() {
      cutAll()
      server.close()
      await stop()
    },
  }
}
