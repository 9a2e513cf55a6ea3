import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countRowBits, hasRow, rowBits, rowsIn, unionRows, withoutRows } from './row-bits.ts'

const rows = fc.uniqueArray(fc.nat(300), { maxLength: 60 })
const sorted = (list: Iterable<number>): number[] => [...list].sort((a, b) => a - b)

test('bits are the set that they were made of, and equal sets are equal bytes', () => {
  fc.assert(
    fc.property(rows, (list) => {
      const bits = rowBits(list)
      expect(rowsIn(bits)).toEqual(sorted(list))
      expect(countRowBits(bits)).toBe(list.length)
      expect(rowBits(list.toReversed())).toEqual(bits)
      expect(hasRow(bits, 2_000)).toBe(false)
    }),
  )
})

test('union and difference are those of sets, in canonical form', () => {
  fc.assert(
    fc.property(rows, rows, (a, b) => {
      expect(unionRows(rowBits(a), rowBits(b))).toEqual(rowBits(new Set([...a, ...b])))
      expect(withoutRows(rowBits(a), rowBits(b))).toEqual(rowBits(a.filter((row) => !b.includes(row))))
    }),
  )
})
