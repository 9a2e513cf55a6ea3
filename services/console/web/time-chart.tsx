import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import uPlot from 'uplot'
import { useScheme, useToken } from './scheme.ts'
import { clock } from './words.ts'

export interface ChartLine {
  readonly name: string
  /** Token of style.css. */
  readonly colour: string
  readonly isThick: boolean
  /** Values at `times`; null where there is none, which breaks the line. */
  readonly values: readonly (number | null)[]
}

/** A numbered flag; its words stand below the chart. */
export interface ChartFlag {
  readonly at: number
  readonly words: string
}

interface TimeChartProps {
  readonly title: string
  /** The chart in one sentence: its name for those who do not see it. */
  readonly sentence: string
  readonly times: readonly number[]
  readonly lines: readonly ChartLine[]
  readonly flags: readonly ChartFlag[]
  readonly onset: { readonly from: number; readonly to: number } | null
  /** Spans without whole data, hatched. */
  readonly gaps: readonly (readonly [from: number, to: number])[]
  readonly say: (value: number) => string
}

const height = 200
/** Rows of the table that stands in for the plot. */
const tableRows = 60

/** Lines over time with its flags, an onset band and hatched gaps; a table of the same numbers; a cursor for the keyboard. */
export function TimeChart(props: TimeChartProps) {
  const { title, sentence, times, lines, flags, say } = props
  const [isTable, setTable] = useState(false)
  const [cursor, setCursor] = useState<number | null>(null)
  const name = useId()
  const onKey = (event: KeyboardEvent): void => {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key]
    if (move === undefined || times.length === 0) return
    event.preventDefault()
    const from = cursor ?? times.length - 1 - move
    setCursor(Math.min(times.length - 1, Math.max(0, from + move)))
  }
  const at = cursor === null ? undefined : times[cursor]
  return (
    <figure className="chart" aria-labelledby={name}>
      <figcaption className="chart-head">
        <h3>{title}</h3>
        <span id={name} className="chart-sentence">
          {sentence}
        </span>
        <button type="button" className="button button-small" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Table
        </button>
      </figcaption>
      {isTable ? (
        <Table {...props} />
      ) : (
        <div
          className="plot"
          role="slider"
          tabIndex={0}
          aria-label={`${title}: move along the time with the arrow keys`}
          aria-valuemin={0}
          aria-valuemax={Math.max(0, times.length - 1)}
          aria-valuenow={cursor ?? Math.max(0, times.length - 1)}
          aria-valuetext={at === undefined ? sentence : readout(at, cursor as number, lines, say)}
          onKeyDown={onKey}
        >
          <Plot {...props} cursor={cursor} onCursor={setCursor} />
        </div>
      )}
      <p className="chart-readout">
        {lines.map((line) => (
          <span key={line.name} className="chart-key">
            <i className={`swatch swatch-${line.colour.slice(2)}`} />
            {line.name}
            {cursor !== null && ` ${told(line.values[cursor], say)}`}
          </span>
        ))}
        <span className="muted">{at === undefined ? 'newest at the right' : `at ${clock(at)} UTC`}</span>
      </p>
      {flags.length > 0 && (
        <ol className="flags">
          {flags.map((flag) => (
            <li key={`${flag.at} ${flag.words}`}>
              {clock(flag.at)} {flag.words}
            </li>
          ))}
        </ol>
      )}
    </figure>
  )
}

function readout(at: number, index: number, lines: readonly ChartLine[], say: (value: number) => string): string {
  return `${clock(at)}: ${lines.map(({ name, values }) => `${name} ${told(values[index], say)}`).join(', ')}`
}

function told(value: number | null | undefined, say: (value: number) => string): string {
  return value == null ? 'no data' : say(value)
}

function Table({ times, lines, say }: TimeChartProps) {
  const from = Math.max(0, times.length - tableRows)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable for the keyboard
    <section className="table-scroll table-tall" tabIndex={0} aria-label="The same numbers">
      <table>
        <thead>
          <tr>
            <th scope="col">Time, UTC</th>
            {lines.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times.slice(from).map((at, index) => (
            <tr key={at}>
              <th scope="row">{clock(at)}</th>
              {lines.map(({ name, values }) => (
                <td key={name}>{told(values[from + index], say)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

interface PlotProps extends TimeChartProps {
  readonly cursor: number | null
  readonly onCursor: (index: number | null) => void
}

function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const scheme = useScheme()
  const token = useToken()
  const latest = useRef(props)
  latest.current = props
  const shape = props.lines.map(({ name, colour }) => `${name} ${colour}`).join()
  const dataOf = ({ times, lines }: PlotProps): uPlot.AlignedData => [
    times.map((at) => at / 1_000),
    ...lines.map(({ values }) => [...values]),
  ]

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours and lines make a new plot; its numbers do not
  useEffect(() => {
    const node = box.current
    if (node === null) return
    const made = new uPlot(optionsOf(node.clientWidth, latest, token), dataOf(latest.current), node)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: node.clientWidth, height }))
    observer.observe(node)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [scheme, shape])
  useEffect(() => plot.current?.setData(dataOf(latest.current)))
  useEffect(() => {
    const made = plot.current
    const at = props.cursor === null ? undefined : latest.current.times[props.cursor]
    if (made !== null && at !== undefined) made.setCursor({ left: made.valToPos(at / 1_000, 'x'), top: 1 }, false)
  }, [props.cursor])
  return <div ref={box} />
}

function optionsOf(
  width: number,
  latest: { readonly current: PlotProps },
  token: (name: string) => string,
): uPlot.Options {
  const axis = { stroke: token('--muted'), grid: { stroke: token('--line'), width: 1 }, ticks: { show: false } }
  const font = '12px system-ui, sans-serif'
  return {
    width,
    height,
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC'),
    scales: { y: { range: (_, __, top) => [0, top > 0 ? top * 1.15 : 1] } },
    axes: [
      { ...axis, font, size: 28, space: 80, values: (_, ticks) => ticks.map((tick) => clock(tick * 1_000)) },
      { ...axis, font, size: 64, values: (_, ticks) => ticks.map((tick) => latest.current.say(tick)) },
    ],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    series: [
      {},
      ...latest.current.lines.map(({ colour, isThick, name }) => ({
        label: name,
        stroke: token(colour),
        width: isThick ? 2.5 : 1.25,
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: {
      setCursor: [({ cursor }) => latest.current.onCursor(cursor.idx ?? null)],
      drawClear: [(made) => drawBehind(made, latest.current, token)],
      draw: [(made) => drawFlags(made, latest.current, token)],
    },
  }
}

function drawBehind({ ctx, bbox, valToPos }: uPlot, { gaps, onset }: PlotProps, token: (name: string) => string): void {
  const x = (at: number): number =>
    Math.min(bbox.left + bbox.width, Math.max(bbox.left, valToPos(at / 1_000, 'x', true)))
  ctx.save()
  ctx.strokeStyle = token('--hatch')
  ctx.lineWidth = devicePixelRatio
  for (const [from, to] of gaps) {
    const [left, right] = [x(from), x(to)]
    if (right <= left) continue
    ctx.save()
    ctx.beginPath()
    ctx.rect(left, bbox.top, right - left, bbox.height)
    ctx.clip()
    ctx.beginPath()
    for (let at = left - bbox.height; at < right; at += 7 * devicePixelRatio) {
      ctx.moveTo(at, bbox.top + bbox.height)
      ctx.lineTo(at + bbox.height, bbox.top)
    }
    ctx.stroke()
    ctx.restore()
  }
  if (onset !== null) {
    ctx.fillStyle = token('--onset')
    ctx.fillRect(x(onset.from), bbox.top, Math.max(3 * devicePixelRatio, x(onset.to) - x(onset.from)), bbox.height)
  }
  ctx.restore()
}

function drawFlags({ ctx, bbox, valToPos }: uPlot, { flags }: PlotProps, token: (name: string) => string): void {
  const size = 14 * devicePixelRatio
  ctx.save()
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  let last = Number.NEGATIVE_INFINITY
  let row = 0
  for (const [index, { at }] of flags.entries()) {
    const x = valToPos(at / 1_000, 'x', true)
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    // Flags that would cover each other step down.
    row = x - last < size ? row + 1 : 0
    last = x
    ctx.strokeStyle = token('--limit')
    ctx.lineWidth = devicePixelRatio
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.fillStyle = token('--limit')
    ctx.fillRect(x - size / 2, bbox.top + row * size, size, size)
    ctx.fillStyle = token('--bg')
    ctx.fillText(String(index + 1), x, bbox.top + row * size + size / 2)
  }
  ctx.restore()
}
