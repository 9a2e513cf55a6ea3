/** Numbers and tables as the page prints them. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const size = Math.abs(value)
  return size >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(size >= 10 ? 3 : 2)))
}

export function percent(value: number): string {
  return `${short(value * 100)} %`
}

/** "12 [10, 14]". */
export function between(value: number | null, low: number, high: number | null): string {
  return `${short(value)} [${short(low)}, ${high === null ? '∞' : short(high)}]`
}

/** Characters as they are seen: a mark over a letter takes no room. */
const widthOf = (cell: string): number => [...cell.replace(/\p{M}/gu, '')].length

/** A Markdown table, its columns padded to the same width as the formatter does. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => widthOf(row[column]!))))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell + ' '.repeat(widths[column]! - widthOf(cell))).join(' | ')} |`
  return [line(all[0]!), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...all.slice(1).map(line)].join(
    '\n',
  )
}
