import type { Membership } from '@interlock/runtime'
import { expect, test } from 'vitest'
import { sharedMembership } from './membership.ts'

/** A group that counts who joined and left, and says what it is told to. */
function group(): Membership & { say(owned: readonly number[]): void; joined: number; left: number } {
  let listener: ((owned: readonly number[]) => void) | null = null
  return {
    joined: 0,
    left: 0,
    say: (owned) => listener?.(owned),
    on(change) {
      this.joined++
      listener = change
      return () => {
        this.left++
        listener = null
      }
    },
  }
}

test('all who share a membership hear the same shards, also who comes late, and join the group once', () => {
  const own = group()
  const shared = sharedMembership(own)
  const heard: (readonly number[])[][] = [[], []]
  shared.on((owned) => heard[0]!.push(owned))
  own.say([1, 2])
  shared.on((owned) => heard[1]!.push(owned))
  own.say([2])
  expect(heard).toEqual([
    [[1, 2], [2]],
    [[1, 2], [2]],
  ])
  expect(own.joined).toBe(1)
})

test('the group is left when the last who shares it has ended, once, and joined anew after that', () => {
  const own = group()
  const shared = sharedMembership(own)
  const [first, second] = [shared.on(() => undefined), shared.on(() => undefined)]
  first()
  first()
  expect(own.left).toBe(0)
  second()
  expect(own.left).toBe(1)
  const heard: (readonly number[])[] = []
  shared.on((owned) => heard.push(owned))
  expect([own.joined, heard]).toEqual([2, []])
})
