import { findChromium, launch } from './browser.ts'
import { buildPage, stageOf, untilCanary } from './stage.ts'

const browser = await launch(findChromium()!)
const { web, remove } = buildPage()
const out = process.argv[2]!
const only = process.argv[3]
for (const [name, width, scheme] of [
  ['light', 1280, 'light'],
  ['dark', 1280, 'dark'],
  ['phone', 390, 'light'],
  ['phone-dark', 390, 'dark'],
] as const) {
  if (only && !only.split(',').includes(name)) continue
  const stage = await stageOf(browser, web, { width, height: width === 390 ? 844 : 900, scheme })
  untilCanary(stage.story)
  await stage.open()
  await stage.page.waitForSelector('text=What may stop it')
  await stage.page.waitForTimeout(1500)
  await stage.page.screenshot({ path: `${out}/${name}-canary.png`, fullPage: true })
  stage.story.fault(1.2)
  for (let i = 0; i < 8; i++) {
    stage.story.pane()
  }
  stage.story.state('watch')
  stage.setAge(1000)
  await stage.page.waitForTimeout(1500)
  await stage.page.keyboard.press('r')
  await stage.page.waitForTimeout(400)
  await stage.page.screenshot({ path: `${out}/${name}-dialog.png` })
  await stage.page.keyboard.press('Escape')
  stage.story.breach()
  stage.story.pane()
  stage.story.command('received')
  stage.setAge(1000)
  await stage.page.waitForTimeout(1500)
  await stage.page.screenshot({ path: `${out}/${name}-breach.png`, fullPage: true })
  stage.story.pane()
  stage.story.pane({ rows: 0 })
  stage.story.pane({ coverage: 0.5 })
  stage.story.command('applied')
  for (let i = 0; i < 3; i++) stage.story.pane()
  stage.story.command('verified')
  for (let i = 0; i < 9; i++) stage.story.pane()
  stage.story.state('handled')
  stage.setAge(1000)
  await stage.page.waitForTimeout(1500)
  await stage.page.screenshot({ path: `${out}/${name}-handled.png`, fullPage: true })
  await stage.page.keyboard.press('w')
  await stage.page.waitForTimeout(400)
  await stage.page.screenshot({ path: `${out}/${name}-why.png` })
  await stage.page.keyboard.press('Escape')
  stage.setAge(50_000)
  stage.story.state('handled')
  await stage.page.waitForTimeout(1500)
  await stage.page.screenshot({ path: `${out}/${name}-stale.png`, fullPage: true })
  console.log(name, stage.complaints)
  await stage.close()
}
remove()
await browser.close()
