/** Values beyond this are no measurements; they count as above or below and never become an edge. */
const plausible = 1e300
/** Part of a value's size by which the upper edge lies above an atom at the top end. */
const atomWidth = 2 ** -32

/**
 * Edges of about `bins` bins of equal mass over the values' own distribution; the first edge is the smallest value. A
 * value that holds more than 1/bins of the mass (an atom: a zero, a cap) has a bin of its own. Ties never split.
 *
 * @param sorted ascending, finite
 * @returns strictly increasing, at least two edges, at most 2·bins + 2; [0, 1] where there is no value at all
 * @source docs/statistics.md "Choosing edges"
 */
export function equalMassEdges(sorted: Float64Array, bins: number): number[] {
  const values = sorted.filter((value) => Math.abs(value) < plausible)
  const total = values.length
  if (total === 0) return [0, 1]
  const edges: number[] = []
  let inBin = total
  let distinctInBin = 0
  for (let at = 0; at < total; ) {
    const value = values[at]!
    let next = at + 1
    while (next < total && values[next] === value) next++
    const isAtom = (next - at) * bins > total
    // A bin that an atom fills is full, so whatever follows an atom begins a bin too.
    if (isAtom || inBin * bins >= total) {
      edges.push(value === 0 ? 0 : value)
      inBin = 0
      distinctInBin = 0
    }
    inBin += next - at
    distinctInBin++
    at = next
  }
  const largest = values[total - 1]!
  if (distinctInBin > 1) return [...edges, largest]
  // The last bin holds one value alone, so its upper edge must lie beyond it; the value itself starts the bin.
  return [...edges, largest + Math.max(Math.abs(largest), 1) * atomWidth]
}

/** Smallest power of two that makes fewer than 2^20 steps between the edges: the fixed point of exact moments. */
export function momentScale(edges: readonly number[]): number {
  const span = edges[edges.length - 1]! - edges[0]!
  const steps = 2 ** 20 - 1
  let scale = 1
  while (scale * steps < span) scale *= 2
  while ((scale / 2) * steps >= span) scale /= 2
  return scale
}
