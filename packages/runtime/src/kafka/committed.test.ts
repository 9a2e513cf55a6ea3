import { expect, test } from 'vitest'
import { committed } from './committed.ts'
import { encodeRecordBatch } from './encode-record-batch.ts'
import { batchesOf } from './record-batch.ts'

const transactional = 0x10
const control = 0x20

/** A batch as a transactional producer's lies in the log; a marker's key says commit (1) or abort (0). */
function batch(offset: number, producerId: number, attributes: number, key: Buffer | null = null): Buffer {
  const bytes = encodeRecordBatch([{ key, value: null }], 1, { id: BigInt(producerId), epoch: 0, sequence: 0 })
  bytes.writeBigInt64BE(BigInt(offset), 0)
  bytes.writeInt16BE(attributes, 21)
  return bytes
}
const data = (offset: number, producerId: number) => batch(offset, producerId, transactional)
const plain = (offset: number, producerId: number) => batch(offset, producerId, 0)
const abort = (offset: number, producerId: number) =>
  batch(offset, producerId, transactional | control, Buffer.from([0, 0, 0, 0]))
const commit = (offset: number, producerId: number) =>
  batch(offset, producerId, transactional | control, Buffer.from([0, 0, 0, 1]))

function kept(
  log: readonly Buffer[],
  aborted: readonly (readonly [producerId: number, firstOffset: number])[],
): number[] {
  const list = aborted.map(([id, first]) => ({ producerId: BigInt(id), firstOffset: BigInt(first) }))
  const all = [...committed(batchesOf(Buffer.concat(log)), list)]
  return all.filter((one) => one.data).map(({ batch }) => Number(batch.baseOffset))
}

test('of interleaved transactions exactly the aborted ones are left out, and all markers', () => {
  const log = [data(0, 1), data(1, 2), plain(2, 3), data(3, 1), abort(4, 2), data(5, 2), commit(6, 1), commit(7, 2)]
  expect(kept(log, [[2, 1]])).toEqual([0, 2, 3, 5])
})

test('a producer that aborts twice loses both transactions and keeps the one between', () => {
  const log = [data(0, 1), abort(1, 1), data(2, 1), commit(3, 1), data(4, 1), abort(5, 1), data(6, 1), commit(7, 1)]
  const aborted = [
    [1, 4],
    [1, 0],
  ] as const
  expect(kept(log, aborted)).toEqual([2, 6])
})

test('an aborted transaction that began before the fetch is left out from the first batch on', () => {
  expect(kept([data(10, 1), data(11, 2), abort(12, 1), data(13, 1), commit(14, 1)], [[1, 3]])).toEqual([11, 13])
})
