import type { Hash } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { append, emptyFrontier, emptyRoot, leafHash, nodeHash, rootAt, rootOf } from './merkle.ts'
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from './proofs.ts'

const seed = 6_962
console.log(`laws of the ledger's tree: seed ${seed}`)

/** Leaves and roots of the reference implementation (google/certificate-transparency, merkletree tests). */
const vectors = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
] as unknown as readonly Hash[]
const hashes = vectors.map((hex) => leafHash(Buffer.from(hex, 'hex')))

test('the roots of the reference implementation come out, one leaf at a time', () => {
  let frontier = emptyFrontier
  expect(rootOf(frontier)).toBe(emptyRoot)
  for (const [index, hash] of hashes.entries()) {
    frontier = append(frontier, hash)
    expect(rootOf(frontier)).toBe(roots[index + 1])
    expect(frontier.roots.length).toBe([...(index + 1).toString(2)].filter((bit) => bit === '1').length)
  }
  expect(rootAt(hashes, 0)).toBe(roots[0])
})

test('inclusion and consistency proofs of the reference implementation come out and are accepted', () => {
  // Of the same vectors: path of leaf 5 among 8, and the proof from 6 to 8 leaves.
  const path = inclusionProof(hashes, 5)
  expect(path).toEqual([
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
  expect(verifyInclusion(hashes[5]!, 5, 8, path, roots[8]!)).toBe(true)
  const grown = consistencyProof(hashes, 6)
  expect(grown).toEqual([
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
  expect(verifyConsistency(6, roots[6]!, 8, roots[8]!, grown)).toBe(true)
})

const leaf = fc.nat().map((value) => leafHash(Buffer.from(String(value))))
const log = fc.array(leaf, { minLength: 1, maxLength: 70 })

/** The definition of RFC 6962 §2.1, written down as it stands there. */
function mth(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return emptyRoot
  if (leaves.length === 1) return leaves[0]!
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return nodeHash(mth(leaves.slice(0, split)), mth(leaves.slice(split)))
}

test('the frontier is the definition, for every size', () => {
  fc.assert(
    fc.property(log, (leaves) => {
      expect(rootOf(leaves.reduce(append, emptyFrontier))).toBe(mth(leaves))
    }),
    { seed },
  )
})

test('every leaf has a proof that is accepted at its place, and nowhere else', () => {
  fc.assert(
    fc.property(log, fc.nat(), fc.nat(), leaf, (leaves, a, b, stranger) => {
      const [index, other] = [a % leaves.length, b % leaves.length]
      const proof = inclusionProof(leaves, index)
      const root = mth(leaves)
      const size = leaves.length
      expect(verifyInclusion(leaves[index]!, index, size, proof, root)).toBe(true)
      expect(verifyInclusion(leaves[index]!, other, size, proof, root)).toBe(
        index === other || (leaves[index] === leaves[other] && sameProof(proof, inclusionProof(leaves, other))),
      )
      expect(verifyInclusion(stranger, index, size, proof, root)).toBe(stranger === leaves[index])
      expect(verifyInclusion(leaves[index]!, index, size, [...proof, stranger], root)).toBe(false)
      if (proof.length > 0) expect(verifyInclusion(leaves[index]!, index, size, proof.slice(1), root)).toBe(false)
    }),
    { seed, numRuns: 300 },
  )
})

test('a log that grew proves it, and one whose past was changed cannot', () => {
  fc.assert(
    fc.property(log, fc.nat(), fc.nat(), leaf, (leaves, a, b, stranger) => {
      const from = a % (leaves.length + 1)
      const proof = consistencyProof(leaves, from)
      const [old, now] = [mth(leaves.slice(0, from)), mth(leaves)]
      expect(verifyConsistency(from, old, leaves.length, now, proof)).toBe(true)
      expect(verifyConsistency(from, old, leaves.length, now, [...proof, stranger])).toBe(false)
      if (from === 0) return
      const changed = leaves.map((hash, index) => (index === b % from ? stranger : hash))
      if (changed[b % from] === leaves[b % from]) return
      const forged = consistencyProof(changed, from)
      expect(verifyConsistency(from, old, leaves.length, mth(changed), forged)).toBe(false)
    }),
    { seed, numRuns: 300 },
  )
})

test('what was never there has no proof', () => {
  expect(() => inclusionProof(hashes, 8)).toThrow('there is no leaf 8 among 8')
  expect(() => inclusionProof(hashes, 0, 9)).toThrow('9 leaves are asked for')
  expect(() => consistencyProof(hashes, 9)).toThrow('never had 9')
  expect(verifyInclusion(hashes[0]!, -1, 8, [], roots[8]!)).toBe(false)
  expect(verifyInclusion(hashes[0]!, 0.5, 8, [], roots[8]!)).toBe(false)
  expect(verifyConsistency(9, roots[8]!, 8, roots[8]!, [])).toBe(false)
})

function sameProof(a: readonly Hash[], b: readonly Hash[]): boolean {
  return a.length === b.length && a.every((hash, index) => hash === b[index])
}
