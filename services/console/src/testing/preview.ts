/**
 * `node services/console/src/testing/preview.ts [port]`: the console over a scripted rollout that runs by itself, for
 * those who work at the page. A rollback that is asked for on the page is carried out by the script.
 */
import { createConsole } from '../console.ts'
import { Story } from './story.ts'

const token = 'preview-token-of-nobody'
const page = createConsole({
  token,
  now: Date.now,
  demo: true,
  submit: async (request) => {
    story.rollBackBy('operator', request.reason)
    faultAt = Number.POSITIVE_INFINITY
    rolledBackAt = tick
    return { offset: BigInt(tick) }
  },
})
const warmUp = 70
const story = new Story({ feed: page.feed, start: Math.floor(Date.now() / 1_000 - warmUp) * 1_000 })
let tick = 0
let faultAt = 110
let rolledBackAt = Number.POSITIVE_INFINITY
story.register()
for (; tick < 20; tick++) story.pane()
story.startRollout()
for (; tick < warmUp; tick++) step()
const port = await page.listen(Number(process.argv[2] ?? 7070))
console.log(`http://127.0.0.1:${port}/#t=${token}`)
setInterval(step, 1_000)

function step(): void {
  tick++
  story.pane()
  if (tick === 35) story.enter(1)
  if (tick === 60) story.enter(2)
  if (tick === 90) story.enter(3)
  if (tick === faultAt) story.fault(1.1)
  if (tick === faultAt + 9) {
    story.breach()
    rolledBackAt = tick
  }
  if (tick === rolledBackAt + 1) story.command('received')
  if (tick === rolledBackAt + 3) story.command('applied')
  if (tick === rolledBackAt + 6) story.command('verified')
  if (tick < rolledBackAt) story.state('watch')
  else if (tick > rolledBackAt + 6) story.state('handled')
}
