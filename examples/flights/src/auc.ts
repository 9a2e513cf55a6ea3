/**
 * Area under the ROC curve: the chance that a late flight got a higher score than one on time (ties count half).
 * By ranks (Mann–Whitney), O(n log n); NaN unless both kinds are present.
 */
export function areaUnderCurve(scores: Float64Array, late: Uint8Array): number {
  const order = Uint32Array.from(scores.keys()).sort((left, right) => scores[left]! - scores[right]!)
  let ranksOfLate = 0
  let lateCount = 0
  for (let begin = 0; begin < order.length; ) {
    let end = begin + 1
    while (end < order.length && scores[order[end]!] === scores[order[begin]!]) end++
    const rank = (begin + end + 1) / 2
    for (let position = begin; position < end; position++) {
      if (late[order[position]!] === 1) {
        ranksOfLate += rank
        lateCount++
      }
    }
    begin = end
  }
  const others = order.length - lateCount
  return (ranksOfLate - (lateCount * (lateCount + 1)) / 2) / (lateCount * others)
}
