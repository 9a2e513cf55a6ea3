import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareOrders, type Order, severities } from './command.ts'

const part = fc.integer({ min: 0, max: 3 })
const orders: fc.Arbitrary<Order> = fc.tuple(part, part, part, part)

/** What an agent does: keeps the highest order that it has seen. */
function highest(seen: readonly Order[]): Order {
  return seen.reduce((kept, order) => (compareOrders(order, kept) > 0 ? order : kept))
}

test('in any order of arrival, and however often each arrives, the same order is the highest', () => {
  fc.assert(
    fc.property(
      fc
        .array(orders, { minLength: 1, maxLength: 6 })
        .chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 })),
        ),
      ([list, shuffled]) => {
        expect(highest(shuffled)).toEqual(highest(list))
      },
    ),
  )
})

test('orders are compared part by part, the first that differs decides', () => {
  fc.assert(
    fc.property(orders, orders, (a, b) => {
      const at = a.findIndex((value, index) => value !== b[index])
      expect(Math.sign(compareOrders(a, b))).toBe(at < 0 ? 0 : Math.sign(a[at]! - b[at]!))
      expect(Math.sign(compareOrders(a, b))).toBe(0 - Math.sign(compareOrders(b, a)))
    }),
  )
})

test('a rollback outranks a halt of the same generation, and a new generation outranks both', () => {
  const halt: Order = [3, 0, severities.halt, 9]
  const rollBack: Order = [3, 0, severities.rollBack, 1]
  const next: Order = [4, 0, severities.normal, 1]
  for (const seen of permutations([halt, rollBack])) expect(highest(seen)).toEqual(rollBack)
  for (const seen of permutations([halt, rollBack, next])) expect(highest(seen)).toEqual(next)
})

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]]
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))
}
