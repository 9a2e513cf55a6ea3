/**
 * Mutants of bytes that were signed: bits, bytes, cuts, copies, exchanges, letters, space. Never the same bytes.
 *
 * @param random uniform in [0, 1); seeded, so that a run can be repeated
 */
export function mutants(signed: Uint8Array, count: number, random: () => number): readonly Uint8Array[] {
  return Array.from({ length: count }, () => {
    for (;;) {
      const mutant = mutate(signed, random)
      if (!Buffer.from(mutant).equals(signed)) return mutant
    }
  })
}

const letters = 'AZaz09+/=_-"{}[],:\\ \n'

export function mutate(signed: Uint8Array, random: () => number): Uint8Array {
  const pick = (below: number): number => Math.floor(random() * below)
  const at = pick(signed.length)
  const one = Buffer.from(signed)
  switch (pick(7)) {
    case 0:
      one[at] = (one[at] as number) ^ (1 << pick(8))
      return one
    case 1:
      one[at] = pick(256)
      return one
    case 2:
      return Buffer.concat([one.subarray(0, at), one.subarray(at + 1 + pick(8))])
    case 3:
      return Buffer.concat([one.subarray(0, at), one.subarray(Math.max(0, at - 1 - pick(8)))])
    case 4: {
      const other = pick(signed.length)
      const letter = one[at] as number
      one[at] = one[other] as number
      one[other] = letter
      return one
    }
    case 5:
      return Buffer.concat([one.subarray(0, at), Buffer.from(letters[pick(letters.length)] ?? ' '), one.subarray(at)])
    default:
      return one.subarray(0, at)
  }
}
