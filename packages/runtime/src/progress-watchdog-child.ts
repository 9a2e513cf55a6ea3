/** Child of progress-watchdog.test.ts: a process that hangs, or that eats memory, under the guards of a real one. */
import { systemClock } from './clock.ts'
import { processGauge } from './heartbeat-process.ts'
import { Progress } from './heartbeat-progress.ts'
import { guardEventLoop, runWatchdog } from './progress-watchdog.ts'

const [what] = process.argv.slice(2)
const gauge = processGauge()
const stop = guardEventLoop(1_000)
const watchdog = runWatchdog(
  { clock: systemClock, progress: new Progress(systemClock), heapPart: gauge.heapPart },
  new AbortController().signal,
)
watchdog.catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(3)
})
process.stdout.write('ready\n')
setTimeout(() => {
  if (what === 'hang') for (;;);
  if (what === 'eat') {
    const eaten: number[][] = []
    setInterval(() => {
      const arrays = gauge.heapPart() < 0.75 ? 6 : 1
      for (let each = 0; each < arrays; each++) eaten.push(Array.from({ length: 20_000 }, (_, index) => index / 3))
    }, 100)
  }
  if (what === 'live') {
    setTimeout(() => {
      stop()
      process.exit(0)
    }, 3_000)
  }
}, 500)
