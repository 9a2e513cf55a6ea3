import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import type { EvidencePoint } from '../src/api.ts'
import { useScheme, useToken } from './scheme.ts'

const height = 36
/** Above the limit there is room for what is past it. */
const leastTop = 1.15

/** Evidence over its limit in time, the limit a named line at 1. */
export function Sparkline({ points, label }: { readonly points: readonly EvidencePoint[]; readonly label: string }) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const scheme = useScheme()
  const token = useToken()
  const data = useRef<uPlot.AlignedData>([[], []])
  data.current = [points.map(({ at }) => at / 1_000), points.map(({ harm, limit }) => Math.max(0, harm / limit))]

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew when the scheme changes
  useEffect(() => {
    const node = box.current
    if (node === null) return
    const made = new uPlot(options(node.clientWidth, token), data.current, node)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: node.clientWidth, height }))
    observer.observe(node)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [scheme])
  useEffect(() => plot.current?.setData(data.current))
  return <div ref={box} className="sparkline" role="img" aria-label={label} />
}

function options(width: number, token: (name: string) => string): uPlot.Options {
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [2, 2, 2, 2],
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: true }, y: { range: (_, __, top) => [0, Math.max(leastTop, top * 1.05)] } },
    series: [{}, { stroke: token('--text'), width: 1.5, points: { show: false }, spanGaps: false }],
    hooks: {
      draw: [
        ({ ctx, bbox, valToPos }) => {
          const y = valToPos(1, 'y', true)
          ctx.save()
          ctx.fillStyle = token('--past')
          ctx.fillRect(bbox.left, bbox.top, bbox.width, Math.max(0, y - bbox.top))
          ctx.strokeStyle = token('--limit')
          ctx.lineWidth = devicePixelRatio
          ctx.beginPath()
          ctx.moveTo(bbox.left, y)
          ctx.lineTo(bbox.left + bbox.width, y)
          ctx.stroke()
          ctx.restore()
        },
      ],
    },
  }
}
