import { AxeBuilder } from '@axe-core/playwright'
import type { LetterList } from '@interlock/console'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { findChromium, howToRun, launch } from './browser.ts'
import { buildPage, type Stage, type StageOptions, stageOf, untilBreach, untilCanary } from './stage.ts'

const executable = findChromium()
const mustRun = process.env.INTERLOCK_REQUIRE === 'all'

if (executable === undefined) {
  test('the page could not be run in a browser', () => {
    console.error(`\n${howToRun}\n`)
    expect(mustRun, howToRun).toBe(false)
  })
} else {
  let browser: Browser
  let built: ReturnType<typeof buildPage>
  const stages: Stage[] = []

  beforeAll(async () => {
    built = buildPage()
    browser = await launch(executable)
  })
  afterEach(async () => {
    for (const stage of stages.splice(0)) await stage.close()
  })
  afterAll(async () => {
    await browser?.close()
    built?.remove()
  })

  const staged = async (options: StageOptions = {}): Promise<Stage> => {
    const stage = await stageOf(browser, built.web, options)
    stages.push(stage)
    return stage
  }
  const pill = ({ page }: Stage) => page.locator('.standing .pill')
  const steps = ({ page }: Stage) => page.locator('.steps .step-done strong').allTextContents()
  /** Everything on the page that has the colours of what is well. */
  const green = ({ page }: Stage) => page.locator('.pill-healthy, .pill-pass, .standing-healthy')

  test('without the token the page says how to sign in, and shows nothing', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    await stage.open('/')
    await stage.page.getByText('This browser is not signed in').waitFor()
    expect(await stage.page.getByText('flight-delay').count()).toBe(0)
  })

  test('the token leaves the address, and the page goes on with its cookie', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    await stage.open()
    await pill(stage).waitFor()
    expect(stage.page.url()).toBe(`${stage.url}/`)
    expect(await stage.page.evaluate(() => document.cookie)).toBe('')
    await stage.page.reload()
    await pill(stage).waitFor()
    expect(stage.complaints).toEqual([])
  })

  test('a rollout on its way: sentence, why it waits, stage, ordered and real share, rules within their limits', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    stage.story.state('healthy')
    await stage.open()
    await pill(stage).waitFor()
    expect(await pill(stage).textContent()).toBe('Healthy')
    expect(await stage.page.locator('.sentence').textContent()).toBe('v2 answers 20 % of the traffic, stage 3 of 5.')
    const blocked = stage.page.locator('.blocked li')
    await expect.poll(() => blocked.allTextContents()).toEqual(['The stage lasts 3 s more at least.'])
    expect(await stage.page.locator('.stage-now strong').textContent()).toBe('20 %')
    expect(await stage.page.locator('.share').textContent()).toBe('v2 should answer 20 %; it really answers 20.0 %.')
    await expect.poll(() => stage.page.getByText('12 of 12 checks are within their limits').count()).toBe(1)
    expect(await stage.page.locator('.header').textContent()).toMatch(
      /DEMO.*evaluated up to 14:00:59 UTC \([01] s ago\)/,
    )
    expect(stage.complaints).toEqual([])
  })

  test('a breach is told at once, and nothing is called rolled back before it is verified', async () => {
    const stage = await staged()
    untilBreach(stage.story)
    await stage.open()
    await stage.page.locator('.rule-breach').waitFor()
    stage.story.breach()
    stage.setAge(1_000)
    await stage.page.locator('.pill-act-now').waitFor()
    expect(await stage.page.locator('.sentence').textContent()).toMatch(/^Flight distance in v2 is about 1.6 times/)
    expect(await stage.page.locator('.rule-breach .evidence-word').first().textContent()).toBe('past its limit')
    for (const state of ['received', 'applied'] as const) {
      stage.story.pane()
      stage.story.command(state)
      stage.setAge(1_000)
      await expect.poll(() => steps(stage)).toContain(state === 'received' ? 'Received' : 'Applied')
      expect(await stage.page.getByText(/Rolled back/).count()).toBe(0)
      expect(await stage.page.getByText('Rolling back to v1').count()).toBe(1)
    }
    stage.story.pane()
    stage.story.command('verified')
    stage.setAge(1_000)
    await stage.page.locator('.pill-handled.pill-large').waitFor()
    expect(await steps(stage)).toEqual(['Recorded', 'Signed', 'Received', 'Applied', 'Verified'])
    expect(await stage.page.locator('.sentence').textContent()).toMatch(/^Rolled back to v1 at /)
    expect(await stage.page.locator('.timeline li').first().textContent()).toContain('Verified by Interlock')
    expect(stage.complaints).toEqual([])
  })

  test('when nothing is evaluated any more the page turns to not watched, and nothing on it is green', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    stage.story.state('healthy')
    await stage.open()
    await pill(stage).waitFor()
    expect(await green(stage).count()).toBeGreaterThan(0)
    stage.setAge(30_000)
    stage.story.state('healthy')
    await expect.poll(() => pill(stage).textContent()).toBe('Watch')
    expect(await green(stage).count()).toBe(0)
    stage.setAge(46_000)
    stage.story.state('healthy')
    await expect.poll(() => pill(stage).textContent()).toBe('Not watched')
    expect(await green(stage).count()).toBe(0)
    expect(await stage.page.locator('.sentence').textContent()).toMatch(/^It is not watched since 14:00:59 UTC/)
    expect(await stage.page.getByText('may no longer be true').count()).toBe(1)
  })

  test('with the stream and the server gone, the page says so and grows stale by its own clock', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    stage.story.state('healthy')
    await stage.page.clock.install()
    await stage.open()
    await pill(stage).waitFor()
    await stage.page.context().setOffline(true)
    await stage.page.clock.runFor(60_000)
    await expect.poll(() => pill(stage).textContent()).toBe('Not watched')
    expect(await green(stage).count()).toBe(0)
    expect(await stage.page.locator('.connection').textContent()).toBe('No stream: asking each 10 s')
    expect(await stage.page.getByText('The console does not answer').count()).toBe(1)
  })

  test('missing data is not watched: no rule passes, and the chart keeps its gap', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    for (let pane = 0; pane < 5; pane++) stage.story.pane({ rows: 0 })
    stage.story.notWatched()
    await stage.open()
    await pill(stage).waitFor()
    expect(await pill(stage).textContent()).toBe('Not watched')
    expect(await green(stage).count()).toBe(0)
    await stage.page.getByRole('button', { name: 'Table' }).first().click()
    expect(await stage.page.locator('.table-tall tr').last().textContent()).toMatch(/no data/)
  })

  test('harm in both versions asks for a person, names the source and promises nothing of a rollback', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    stage.story.fault(3, true)
    for (let pane = 0; pane < 8; pane++) stage.story.pane()
    stage.story.dataIncident('northeast')
    await stage.open()
    await pill(stage).waitFor()
    expect(await pill(stage).textContent()).toBe('Act now')
    expect(await stage.page.locator('.sentence').textContent()).toContain('source "northeast"')
    await stage.page.keyboard.press('r')
    expect(await stage.page.getByRole('dialog').textContent()).toContain('Probably not. Both versions got worse.')
  })

  test('by keyboard alone a rollback is one request, also when it is pressed twice, and is done when verified', async () => {
    const stage = await staged({ onSubmit: (request, story) => story.rollBackBy('operator', request.reason) })
    untilBreach(stage.story)
    const { page } = stage
    await stage.open()
    await page.locator('.rule-breach').waitFor()
    await page.keyboard.press('r')
    const dialog = page.getByRole('dialog')
    expect(await dialog.textContent()).toContain('Yes. Only v2 got worse')
    expect(await page.locator('textarea').inputValue()).toContain('Flight distance')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA')
    await page.keyboard.press('Escape')
    expect(await dialog.count()).toBe(0)
    expect(stage.submitted).toEqual([])
    await page.keyboard.press('r')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Roll back to v1 now')
    await page.evaluate(() => {
      const button = document.activeElement as HTMLButtonElement
      button.click()
      button.click()
    })
    await page.keyboard.press('Enter')
    await expect.poll(() => dialog.textContent()).toContain('Rolling back to v1; not verified yet.')
    expect(stage.submitted).toHaveLength(1)
    expect(stage.submitted[0]).toMatchObject({ kind: 'rollback', deployment: 'flight-delay' })
    expect(await dialog.textContent()).not.toContain('Rolled back')
    stage.story.pane()
    stage.story.command('received')
    stage.story.command('applied')
    stage.story.pane()
    stage.story.command('verified')
    stage.setAge(1_000)
    await expect.poll(() => dialog.textContent()).toContain('Rolled back to v1.')
    expect(stage.submitted).toHaveLength(1)
    await page.keyboard.press('Escape')
    expect(await page.locator('#why-not').textContent()).toBe('It is rolled back to v1 already.')
    expect(stage.complaints).toEqual([])
  })

  test('a double click sends one request, and without a reason none', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    const { page } = stage
    await stage.open()
    await page.getByRole('button', { name: 'Roll back…' }).click()
    const confirm = page.getByRole('button', { name: 'Roll back to v1 now' })
    await confirm.dblclick({ force: true })
    expect(stage.submitted).toEqual([])
    await page.locator('textarea').fill('It answers too slowly.')
    await confirm.dblclick()
    await page.getByText('Waiting for the decision').waitFor()
    expect(stage.submitted).toEqual([
      { kind: 'rollback', deployment: 'flight-delay', reason: 'It answers too slowly.' },
    ])
  })

  test('an answer that is lost is called not known, and asking again counts once', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    const { page } = stage
    await stage.open()
    await pill(stage).waitFor()
    let lost = 1
    await page.route('**/api/v1/requests', async (route) => {
      if (lost-- > 0) {
        await route.fetch()
        await route.abort()
      } else await route.continue()
    })
    await page.keyboard.press('r')
    await page.locator('textarea').fill('It answers too slowly.')
    await page.keyboard.press('Control+Enter')
    await page.getByText('Not known whether it is recorded').waitFor()
    await page.getByText('Waiting for the decision').waitFor()
    expect(stage.submitted).toHaveLength(1)
  })

  test('why leads from the decision to the records that were counted', async () => {
    const stage = await staged()
    untilBreach(stage.story)
    const id = stage.story.breach()
    await stage.open()
    await pill(stage).waitFor()
    await stage.page.keyboard.press('w')
    const dialog = stage.page.getByRole('dialog')
    await dialog.getByText('predictions/0').waitFor()
    expect(await dialog.locator('h3').allTextContents()).toEqual([
      'Decision',
      'Evidence',
      'Counts',
      'Records that were counted',
      'Who got its answers',
    ])
    expect(await dialog.textContent()).toContain(id.slice(0, 8))
    expect(await dialog.textContent()).toContain('1,600 and more25.0 %8.0 %70 %')
  })

  test('the arrows move a cursor along a chart, and it says time and values', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    await stage.open()
    const plot = stage.page.getByRole('slider').first()
    await plot.focus()
    await stage.page.keyboard.press('ArrowLeft')
    await stage.page.keyboard.press('ArrowLeft')
    expect(await plot.getAttribute('aria-valuetext')).toMatch(/^14:00:57: v1 0\.\d %, v2 0\.\d %$/)
  })

  test('with several deployments the list comes first, what needs a person on top', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    stage.another('fraud-score', (story) => {
      story.register()
      story.pane()
      story.steady()
    })
    await stage.open()
    await stage.page.locator('.fleet li').first().waitFor()
    expect(await stage.page.locator('.fleet a').allTextContents()).toEqual(['fraud-score', 'flight-delay'])
    await stage.page.getByRole('link', { name: 'flight-delay' }).click()
    await pill(stage).waitFor()
    expect(new URL(stage.page.url()).pathname).toBe('/d/flight-delay')
  })

  const letters: LetterList = {
    whole: true,
    groups: [
      {
        ...{ topic: 'predictions', reason: 'wrong-generation', records: 120, rows: 1_400, replayed: 0 },
        ...{ first: Date.UTC(2026, 3, 1, 14, 0, 1), last: Date.UTC(2026, 3, 1, 14, 0, 9) },
        example: {
          place: 'predictions/0/1042',
          detail: '12 rows of this message; the first: generation 1 is not watched',
        },
      },
    ],
  }

  test('how long each version was really watched stands there, with the gaps and why', async () => {
    const stage = await staged()
    untilCanary(stage.story)
    stage.setAge(120_000)
    await stage.open()
    const card = stage.page.locator('section', { has: stage.page.locator('#guarded') })
    await card.getByText('v1 watched').waitFor()
    // 59 panes of 1 s; then nothing for what is beyond the time in which an evaluation may still come.
    expect(await card.locator('li').first().textContent()).toMatch(
      /v1 watched \d\d\.\d % of 2 min \d+ s; gaps: 1 min \d+ s no evaluation in time\.\s*Last: 14:00:59 for 1 min/,
    )
    expect(await card.getByText('v2 watched').count()).toBe(1)
  })

  test('dead letters stand there by reason and never with what they hold; without a log nothing is claimed', async () => {
    const stage = await staged({ letters })
    untilCanary(stage.story)
    await stage.open()
    const card = stage.page.locator('section', { has: stage.page.locator('#letters') })
    await card.getByText('1,400 rows in 120 records').waitFor()
    expect(await card.getByText('interlock dlq replay').count()).toBe(1)
    const without = await staged()
    untilCanary(without.story)
    await without.open()
    await without.page.getByText('Guarded minutes').waitFor()
    expect(await without.page.getByText('Dead letters').count()).toBe(0)
    expect([...stage.complaints, ...without.complaints]).toEqual([])
  })

  const sizes = [
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const
  test.each(sizes)('axe finds nothing at %i px in %s, whatever the state', async (width, scheme) => {
    const stage = await staged({ width, height: 844, scheme, letters })
    const { page, story } = stage
    const check = async (state: string): Promise<void> => {
      const { violations } = await new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).analyze()
      const found = violations.map(({ id, nodes }) => `${state}: ${id} at ${nodes[0]?.html.slice(0, 160)}`)
      expect(found).toEqual([])
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect(overflow, `${state} is wider than the screen`).toBeLessThanOrEqual(0)
    }
    untilCanary(story)
    story.state('healthy')
    await stage.open()
    await page.locator('.pill-healthy').first().waitFor()
    await check('healthy')
    story.fault(1.2)
    for (let pane = 0; pane < 9; pane++) story.pane()
    story.state('watch')
    stage.setAge(1_000)
    await page.locator('.rule-breach').waitFor()
    await page.keyboard.press('r')
    await check('dialog')
    await page.keyboard.press('Escape')
    story.breach()
    stage.setAge(1_000)
    await page.locator('.pill-act-now').waitFor()
    await check('act now')
    story.command('verified')
    await page.locator('.pill-handled.pill-large').waitFor()
    await check('handled')
    await page.keyboard.press('w')
    await page.getByText('predictions/0', { exact: true }).waitFor()
    await check('why')
    await page.keyboard.press('Escape')
    stage.setAge(50_000)
    story.state('handled')
    await page.locator('.pill-not-watched').first().waitFor()
    await page.getByRole('button', { name: 'Table' }).first().click()
    await check('not watched')
    expect(stage.complaints).toEqual([])
  })
}
