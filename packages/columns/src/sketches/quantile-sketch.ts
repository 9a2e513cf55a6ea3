import { putVarint, VarintReader } from '@interlock/contracts'

/** Places 0, 1, 2 count what has no bucket; bucket b is place b + 3. */
const places = { notFinite: 0, negative: 1, zero: 2, buckets: 3 } as const
/** Shift that leaves a double's 11 bits of exponent and the first six of its mantissa: 64 buckets an octave. */
const shift = 14
const bucketSpan = 2 ** 14
const lastBucket = 2 ** 17 - 1
/** Smallest double with its full precision, 2^−1022: what is below counts as zero. */
const smallest = 2.2250738585072014e-308

/** Greatest error of a quantile over its value: half a bucket at its narrow end. */
export const relativeError = 1 / 128

const double = new DataView(new ArrayBuffer(8))

/**
 * Log-linear quantile sketch for positive values: integer counts of buckets, 64 to each doubling, equally wide within it. A
 * value's bucket is read off its bits. Sums are exact, so parts merge in any order and may be subtracted again, and equal
 * counts are equal bytes: the form of `packCounts`, over places that are never laid out whole.
 *
 * @source the "linear subdivisions of a power of two" of HdrHistogram (Tene) and OpenTelemetry's exponential histograms; DDSketch
 *   (Masson, Rim & Lee, VLDB 2019) has the same guarantee with logarithms
 */
export class QuantileSketch {
  readonly #counts = new Map<number, number>()

  add(value: number): void {
    this.#put(placeOf(value), 1)
  }

  /**
   * Adds, or with sign −1 takes away, what another sketch counted.
   *
   * @throws RangeError when the bytes are no packed sketch, or more is taken away than is there; then nothing has changed
   */
  addPacked(packed: Uint8Array, sign: 1 | -1 = 1): void {
    const numbers = new VarintReader(packed)
    const changes: [place: number, count: number][] = []
    let place = -1
    while (numbers.hasMore) {
      place += numbers.next() + 1
      const count = numbers.next()
      if (place > lastBucket + places.buckets) throw new RangeError(`packed sketch names place ${place}`)
      const sum = (this.#counts.get(place) ?? 0) + sign * count
      if (!Number.isSafeInteger(sum) || sum < 0) throw new RangeError(`the sum at place ${place} would be ${sum}`)
      changes.push([place, sign * count])
    }
    for (const [at, count] of changes) this.#put(at, count)
  }

  pack(): Uint8Array {
    const bytes: number[] = []
    let last = -1
    for (const [place, count] of this.#inOrder()) {
      putVarint(bytes, place - last - 1)
      putVarint(bytes, count)
      last = place
    }
    return Uint8Array.from(bytes)
  }

  /** Values counted, the not finite ones among them. */
  get counted(): { readonly values: number; readonly notFinite: number; readonly negative: number } {
    let values = 0
    for (const count of this.#counts.values()) values += count
    const at = (place: number): number => this.#counts.get(place) ?? 0
    return { values, notFinite: at(places.notFinite), negative: at(places.negative) }
  }

  /**
   * Value of rank ⌈share·n⌉ (at least 1) among the n finite values, within `relativeError` of it.
   *
   * @param share 0 … 1
   * @returns null where there is no finite value, or the value of this rank is negative: of those only the number is known
   * @throws RangeError for a share outside 0 … 1
   */
  quantile(share: number): number | null {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`a quantile lies between 0 and 1, and this is ${share}`)
    const { values, notFinite } = this.counted
    const finite = values - notFinite
    let left = Math.max(1, Math.ceil(share * finite))
    for (const [place, count] of this.#inOrder()) {
      if (place === places.notFinite) continue
      left -= count
      if (left > 0) continue
      if (place === places.negative) return null
      return place === places.zero ? 0 : middleOf(place - places.buckets)
    }
    return null
  }

  #put(place: number, count: number): void {
    const sum = (this.#counts.get(place) ?? 0) + count
    if (sum === 0) this.#counts.delete(place)
    else this.#counts.set(place, sum)
  }

  #inOrder(): readonly (readonly [place: number, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => a - b)
  }
}

function placeOf(value: number): number {
  if (!Number.isFinite(value)) return places.notFinite
  if (value <= -smallest) return places.negative
  if (value < smallest) return places.zero
  double.setFloat64(0, value)
  return places.buckets + (double.getUint32(0) >>> shift)
}

function middleOf(bucket: number): number {
  double.setUint32(0, bucket * bucketSpan + bucketSpan / 2)
  double.setUint32(4, 0)
  return double.getFloat64(0)
}
