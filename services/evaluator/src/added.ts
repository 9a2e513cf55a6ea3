/** Sum of two count vectors, as a new one. */
export function added(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((count, index) => count + (b[index] as number))
}
