import type { Report } from './report.ts'
export function textOf(report: Report): string {
  return String(report.seconds)
}
export function filesOf(_: Report): (readonly [string, string])[] {
  return []
}
