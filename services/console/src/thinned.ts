/**
 * At most `most` points, in order: of each run of neighbours those that are smallest and largest under each measure,
 * and the last point of all. A spike is never thinned away.
 *
 * @param measures what a chart draws of a point; a point without a value measures NaN and is never an extreme
 */
export function thinned<Point>(
  points: readonly Point[],
  most: number,
  measures: readonly ((point: Point) => number)[],
): readonly Point[] {
  if (points.length <= most) return points
  const last = points.length - 1
  const runs = Math.max(1, Math.floor((most - 1) / (2 * measures.length)))
  const kept = new Set<number>()
  for (let run = 0; run < runs; run++) {
    const from = Math.floor((run * last) / runs)
    const to = Math.floor(((run + 1) * last) / runs)
    for (const measure of measures) for (const index of extremes(points, from, to, measure)) kept.add(index)
  }
  const indices = [...kept].sort((a, b) => a - b).slice(0, Math.max(0, most - 1))
  return [...indices, last].map((index) => points[index] as Point)
}

function extremes<Point>(
  points: readonly Point[],
  from: number,
  to: number,
  measure: (point: Point) => number,
): readonly number[] {
  let low = -1
  let high = -1
  let least = Number.POSITIVE_INFINITY
  let greatest = Number.NEGATIVE_INFINITY
  for (let index = from; index < to; index++) {
    const value = measure(points[index] as Point)
    if (value < least) {
      least = value
      low = index
    }
    if (value > greatest) {
      greatest = value
      high = index
    }
  }
  return [low, high].filter((index) => index >= 0)
}
