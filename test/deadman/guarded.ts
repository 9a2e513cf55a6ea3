import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Message, WatcherSummary } from '@interlock/watcher'
import { freePort, main, plainEnvironment, until } from '../process/interlock.ts'
import { loaded, writeDeployment } from '../process/small-deployment.ts'
import { standInRouter } from '../process/stand-in-router.ts'

/** An embedded Interlock with its probe, two watchers, and a pager that writes down when it heard what. All real processes. */
export interface Guarded {
  readonly up: ChildProcess
  readonly watchers: ReadonlyMap<string, ChildProcess>
  readonly pages: readonly (Message & { readonly heardAt: number })[]
  state(watcher: string): Promise<WatcherSummary>
  /** Resolves once a page fits. */
  paged(fits: (page: Message) => boolean, what: string): Promise<Message & { readonly heardAt: number }>
  remove(): Promise<void>
}

export async function guarded(startUp: (config: string) => readonly string[]): Promise<Guarded> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-deadman-'))
  const router = await standInRouter(loaded)
  const pages: (Message & { readonly heardAt: number })[] = []
  const pager = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => {
      body += part.toString()
    })
    request.on('end', () => {
      pages.push({ ...(JSON.parse(body) as Message), heardAt: Date.now() })
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => pager.listen(0, '127.0.0.1', resolve))
  const ports = { 'watcher-a': await freePort(), 'watcher-b': await freePort() }
  const files = await writeDeployment(folder, router.url, await freePort(), {
    configuration: `probe: true
watchers:
${Object.entries(ports)
  .map(([name, port]) => `  - { name: ${name}, url: "http://127.0.0.1:${port}" }`)
  .join('\n')}
pager: { webhooks: [{ url: "http://127.0.0.1:${(pager.address() as AddressInfo).port}/", secretEnv: PAGER_SECRET }] }
`,
  })
  const env = { ...plainEnvironment(), TOY_TOKEN: router.token, PAGER_SECRET: 'of this test', INTERLOCK_LOG: 'warn' }
  const complaints = new Map<ChildProcess, string>()
  const start = (args: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, [...args], { stdio: ['ignore', 'ignore', 'pipe'], env })
    child.stderr.on('data', (part: Buffer) =>
      complaints.set(child, `${complaints.get(child) ?? ''}${part.toString()}`.slice(-4_000)),
    )
    return child
  }
  const up = start(startUp(files.config))
  const watchers = new Map<string, ChildProcess>()
  const state = async (watcher: string): Promise<WatcherSummary> => {
    const port = ports[watcher as keyof typeof ports]
    return (await (await fetch(`http://127.0.0.1:${port}/v1/state`)).json()) as WatcherSummary
  }
  const paged: Guarded['paged'] = async (fits, what) => {
    const find = () => pages.find(fits)
    await until(`the page "${what}"; heard ${JSON.stringify(pages.map(({ sentence }) => sentence))}`, () => {
      return find() !== undefined
    })
    return find()!
  }
  const remove = async (): Promise<void> => {
    const children = [up, ...watchers.values()].filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    )
    await Promise.all(
      children.map(async (child) => {
        const ended = new Promise((done) => child.once('close', done))
        child.kill('SIGKILL')
        await ended
      }),
    )
    router.close()
    pager.closeAllConnections()
    pager.close()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    // The keys are made by the first start; the watchers read theirs.
    const keyset = join(files.data, 'keys', 'keyset.dsse.json')
    await until('the keys', () => existsSync(keyset))
    for (const name of Object.keys(ports))
      watchers.set(name, start([main, 'run', 'watcher', '--name', name, '--config', files.config]))
    await until('a verified round of the probe, heard by both watchers', async () => {
      if (up.exitCode !== null) throw new Error(`it ended: ${complaints.get(up)}`)
      const states = await Promise.all([...watchers.keys()].map(state))
      return states.every(({ probe, troubles }) => probe?.verifiedSecondsAgo != null && troubles.length === 0)
    })
    return { up, watchers, pages, state, paged, remove }
  } catch (error) {
    await remove()
    throw error
  }
}
