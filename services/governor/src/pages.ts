import type { AlertOut, Fact, LogTime } from '@interlock/contracts'
import type { Desk } from './desk.ts'
import type { DeploymentRecord, Page } from './record.ts'

/** The newest pages of a deployment are followed; more are not open at once. */
const pagesKept = 8
/** A page that a sink did not take is put out again after so long, so many times in all. */
export const pageAgainAfterMs = 120_000
export const pagesAtMost = 5

/** Remembers an alert that calls a person, so that its delivery can be followed. */
export function withPage(pages: readonly Page[], alert: AlertOut, time: LogTime): readonly Page[] {
  if (alert.attention !== 'act-now' && alert.attention !== 'not-watched') return pages
  return [...pages, { alert, failed: [], sentAt: time, sent: 1 }].slice(-pagesKept)
}

/** The notifier's word about one sink. */
export function delivered(record: DeploymentRecord, fact: Extract<Fact, { kind: 'delivered' }>): DeploymentRecord {
  const { alert, sink, ok } = fact
  if (!record.pages.some((page) => page.alert.id === alert)) return record
  const pages = record.pages.map((page) => {
    if (page.alert.id !== alert) return page
    const others = page.failed.filter((name) => name !== sink)
    return { ...page, failed: ok ? others : [...others, sink].slice(-pagesKept) }
  })
  return { ...record, pages }
}

/** Puts a page out again that a sink did not take, while what it is about stands. The same id: whoever has it knows it. */
export function pageAgain(record: DeploymentRecord, desk: Desk): DeploymentRecord {
  const open = Object.values(record.openAlerts)
  const isDue = ({ alert, failed, sentAt, sent }: Page): boolean =>
    failed.length > 0 && sent < pagesAtMost && desk.time - sentAt >= pageAgainAfterMs && open.includes(alert.id)
  if (!record.pages.some(isDue)) return record
  const pages = record.pages.map((page) => {
    if (!isDue(page)) return page
    desk.outs.push(page.alert)
    return { ...page, failed: [], sentAt: desk.time, sent: page.sent + 1 }
  })
  return { ...record, pages }
}
