import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The browser that INTERLOCK_CHROMIUM names, else an installed one; undefined where there is none. */
export function findChromium(): string | undefined {
  const named = process.env.INTERLOCK_CHROMIUM
  if (named !== undefined && named !== '') return named
  const found = usualPlaces.find((place) => existsSync(place))
  if (found !== undefined || process.platform === 'win32') return found
  try {
    return execFileSync('sh', ['-c', 'command -v chromium || command -v google-chrome'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: quiet, headless: true })
}

/** What would make the suite run where it could not. */
export const howToRun =
  'The page was NOT tested: no Chromium was found. Install one (apt-get install chromium), or name it with' +
  ' INTERLOCK_CHROMIUM=/path/to/chromium.'
