import { expect, test } from 'vitest'
import { pageAgainAfterMs, pagesAtMost } from './pages.ts'
import { Rehearsal } from './rehearsal.ts'

/** A rollback that people are paged about, and whose agent never answers. */
function paged(): { readonly story: Rehearsal; readonly id: string } {
  const story = new Rehearsal().canary()
  story.agentAnswers = false
  story.seconds(1, { 'inputs/v2': { harm: 12 } })
  return { story, id: story.last('alert').id }
}

function tell(story: Rehearsal, alert: string, sink: string, ok: boolean): void {
  story.step([story.fact({ kind: 'delivered', alert, sink, ok, detail: '' }, 'notifier')])
}

const sentOf = (story: Rehearsal, id: string): number =>
  story.outs.filter((out) => out.kind === 'alert' && out.id === id).length

test('a page that a sink did not take is put out again, the same, until it is taken', () => {
  const { story, id } = paged()
  // Escalations replace the page; the newest one is followed.
  story.seconds(100)
  const newest = story.last('alert').id
  expect(newest).not.toBe(id)
  tell(story, newest, 'log', true)
  tell(story, newest, 'pager', false)
  story.seconds(pageAgainAfterMs / 1_000 - 30)
  expect(sentOf(story, newest)).toBe(1)
  story.seconds(31)
  expect(sentOf(story, newest)).toBe(2)
  const [first, second] = story.outs.filter((out) => out.kind === 'alert' && out.id === newest)
  expect(second).toEqual(first)
  tell(story, newest, 'pager', true)
  story.seconds(300)
  expect(sentOf(story, newest)).toBe(2)
})

test('no page is repeated for ever, none that was taken, and none that is over', () => {
  const { story } = paged()
  story.seconds(100)
  const id = story.last('alert').id
  for (let round = 0; round < 8; round++) {
    tell(story, id, 'pager', false)
    story.seconds(pageAgainAfterMs / 1_000 + 1)
  }
  expect(sentOf(story, id)).toBe(pagesAtMost)
  const over = paged()
  tell(over.story, over.id, 'pager', false)
  over.story.agentAnswers = true
  over.story.seconds(200)
  expect(sentOf(over.story, over.id)).toBe(1)
  tell(over.story, 'never heard of', 'pager', false)
})
