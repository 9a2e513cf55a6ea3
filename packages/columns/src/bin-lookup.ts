/** Cells of the guide table; more of them than edges, so that a guess is rarely more than one bin off. */
const guideCells = 256

/**
 * Exact bin of a value among k+1 strictly increasing edges: bin i is [edge i, edge i+1), the last one closed.
 *
 * A table over equal steps between the first and the last edge guesses the bin, and comparisons with the edges themselves
 * move the guess to where it belongs. Rounding in the table therefore costs a comparison, never a wrong bin. −0 equals 0.
 */
export class BinLookup {
  readonly bins: number
  readonly below: number
  readonly above: number
  readonly #edges: Float64Array
  readonly #guide: Uint16Array
  readonly #first: number
  readonly #last: number
  readonly #cellsPerUnit: number

  /** @param edges strictly increasing and finite, at least two: `specProblem` says whether they are */
  constructor(edges: readonly number[]) {
    this.bins = edges.length - 1
    this.below = this.bins
    this.above = this.bins + 1
    this.#edges = Float64Array.from(edges)
    this.#first = edges[0]!
    this.#last = edges[this.bins]!
    // Halved first: the span of two finite edges may itself be infinite.
    const halfSpan = this.#last / 2 - this.#first / 2
    this.#cellsPerUnit = guideCells / 2 / halfSpan
    this.#guide = new Uint16Array(guideCells + 1)
    let bin = 0
    for (let cell = 0; cell <= guideCells; cell++) {
      while (bin + 1 < this.bins && this.#cell(this.#edges[bin + 1]!) <= cell) bin++
      this.#guide[cell] = bin
    }
  }

  /**
   * @param value finite
   * @returns 0 … bins − 1, or `below`, or `above`
   */
  of(value: number): number {
    if (value < this.#first) return this.below
    if (value > this.#last) return this.above
    let bin = this.#guide[this.#cell(value)]!
    while (value < this.#edges[bin]!) bin--
    while (bin + 1 < this.bins && value >= this.#edges[bin + 1]!) bin++
    return bin
  }

  #cell(value: number): number {
    const cell = Math.floor((value - this.#first) * this.#cellsPerUnit)
    // Not `cell < 0 ? …`: 0·∞ is NaN where the edges lie closer than the smallest number can tell.
    return cell >= 0 ? Math.min(cell, guideCells) : 0
  }
}
