/** One line of a plot: points in data units. */
export interface Line {
  readonly name: string
  readonly colour: string
  readonly dashed?: boolean
  readonly points: readonly (readonly [x: number, y: number])[]
}

const [width, height, left, bottom] = [640, 330, 56, 40]
const right = 190

/** A plot on two logarithmic axes as a small SVG of its own: no script, no font, light background. */
export function plot(title: string, xTitle: string, yTitle: string, lines: readonly Line[]): string {
  const points = lines.flatMap(({ points }) => points)
  const [x0, x1] = span(points.map(([x]) => x))
  const [y0, y1] = span(points.map(([, y]) => y))
  const x = (value: number): number =>
    left + ((Math.log(value) - Math.log(x0)) / Math.log(x1 / x0)) * (width - left - right)
  const y = (value: number): number =>
    height - bottom - ((Math.log(value) - Math.log(y0)) / Math.log(y1 / y0)) * (height - bottom - 30)
  const text = (at: readonly [number, number], words: string, more = ''): string =>
    `<text x="${round(at[0])}" y="${round(at[1])}" ${more}>${escaped(words)}</text>`
  const ticks = (from: number, to: number): number[] =>
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].filter((tick) => tick >= from && tick <= to)
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" fill="#222">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text([left, 16], title, 'font-size="13" font-weight="bold"'),
    ...ticks(x0, x1).map((tick) => text([x(tick), height - bottom + 15], String(tick), 'text-anchor="middle"')),
    ...ticks(y0, y1).map(
      (tick) =>
        `<path d="M${left} ${round(y(tick))}H${width - right}" stroke="#ddd"/>${text([left - 6, y(tick) + 4], String(tick), 'text-anchor="end"')}`,
    ),
    text([(left + width - right) / 2, height - 8], xTitle, 'text-anchor="middle"'),
    text([12, height / 2], yTitle, `text-anchor="middle" transform="rotate(-90 12 ${height / 2})"`),
    ...lines.map(({ colour, dashed, points: path }) => {
      const d = path.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${round(x(a))} ${round(y(b))}`).join('')
      return `<path d="${d}" fill="none" stroke="${colour}" stroke-width="2"${dashed === true ? ' stroke-dasharray="5 4"' : ''}/>`
    }),
    ...lines.map(({ name, colour }, i) => {
      const at = 40 + i * 16
      return `<path d="M${width - right + 12} ${at}h18" stroke="${colour}" stroke-width="2"/>${text([width - right + 36, at + 4], name)}`
    }),
    '</svg>',
  ].join('\n')}\n`
}

function span(values: readonly number[]): [number, number] {
  return [Math.min(...values) * 0.9, Math.max(...values) * 1.1]
}

const round = (value: number): string => String(Math.round(value * 10) / 10)

function escaped(words: string): string {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;')
}
