import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createConsole, type DeadLetterPorts, type LetterList, type OperatorRequest } from '@interlock/console'
import { Story } from '@interlock/console/testing'
import type { Browser, BrowserContext, Page } from 'playwright-core'

const consoleFolder = resolve(import.meta.dirname, '../../services/console')
const token = 'token-of-the-page-tests-0123'

/** Builds the page as a release does, into a folder of its own. @returns the folder and how to remove it */
export function buildPage(): { readonly web: string; readonly remove: () => void } {
  const web = mkdtempSync(join(tmpdir(), 'interlock-page-'))
  const vite = dirname(createRequire(join(consoleFolder, 'package.json')).resolve('vite/package.json'))
  const command = [join(vite, 'bin/vite.js'), 'build', '--outDir', web, '--emptyOutDir', '--logLevel', 'error']
  execFileSync(process.execPath, command, { cwd: consoleFolder, stdio: 'inherit' })
  return { web, remove: () => rmSync(web, { recursive: true, force: true }) }
}

/** A real console over scripted outs, with a page opened on it. */
export interface Stage {
  readonly page: Page
  readonly story: Story
  readonly url: string
  readonly submitted: readonly OperatorRequest[]
  /** What the browser complained of: errors, refused policies, failed requests. */
  readonly complaints: readonly string[]
  /** Lets the server's clock stand `ms` after the last pane. */
  setAge(ms: number): void
  /** Adds another deployment with a story of its own. */
  another(deployment: string, play: (story: Story) => void): void
  open(path?: string): Promise<void>
  close(): Promise<void>
}

export interface StageOptions {
  readonly width?: number
  readonly height?: number
  readonly scheme?: 'light' | 'dark'
  readonly onSubmit?: (request: OperatorRequest, story: Story) => void
  /** Dead letters that the console tells of; absent: it has no log to read them from. */
  readonly letters?: LetterList
}

const notHere = (): Promise<never> => Promise.reject(new Error('the stage only lists letters'))
const noLetters: DeadLetterPorts = {
  list: notHere,
  show: notHere,
  plan: notHere,
  replay: notHere,
  taken: notHere,
  payload: notHere,
}

export async function stageOf(browser: Browser, web: string, options: StageOptions = {}): Promise<Stage> {
  const { width = 1280, height = 900, scheme = 'light', onSubmit, letters } = options
  const clock = { now: 0 }
  const submitted: OperatorRequest[] = []
  const server = createConsole({
    token,
    demo: true,
    web,
    now: () => clock.now,
    submit: async (request) => {
      submitted.push(request)
      onSubmit?.(request, story)
      return { offset: BigInt(submitted.length) }
    },
    ...(letters === undefined ? {} : { deadLetters: { ...noLetters, list: async () => letters } }),
  })
  const start = Date.UTC(2026, 3, 1, 14, 0, 0)
  const story = new Story({ feed: server.feed, start })
  const port = await server.listen(0)
  const url = `http://127.0.0.1:${port}`
  const context: BrowserContext = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('requestfailed', (request) => {
    // A reload or a closing page cuts what is under way, and the stream always is; nothing else may fail.
    const reason = request.failure()?.errorText ?? 'for no stated reason'
    const isCut = request.url().includes('/stream') || reason === 'net::ERR_ABORTED'
    if (!isCut) complaints.push(`${request.url()} failed: ${reason}`)
  })
  return {
    page,
    story,
    url,
    submitted,
    complaints,
    setAge: (ms) => {
      clock.now = story.at + ms
    },
    another: (deployment, play) => play(new Story({ feed: server.feed, start, deployment })),
    open: async (path = `/#t=${token}`) => {
      if (clock.now === 0) clock.now = story.at + 1_000
      await page.goto(url + path)
    },
    close: async () => {
      await context.close()
      await server.close()
    },
  }
}

/** A rollout up to its 20 % stage, all well. */
export function untilCanary(story: Story): void {
  story.register()
  for (let pane = 0; pane < 15; pane++) story.pane()
  story.startRollout()
  for (let pane = 0; pane < 12; pane++) story.pane()
  story.enter(1)
  for (let pane = 0; pane < 12; pane++) story.pane()
  story.enter(2)
  for (let pane = 0; pane < 20; pane++) story.pane()
  story.state('watch')
}

/** v2 takes kilometres for miles until the evidence is past its limit. */
export function untilBreach(story: Story): void {
  untilCanary(story)
  story.fault(1.2)
  for (let pane = 0; pane < 9; pane++) story.pane()
  story.state('watch')
}
