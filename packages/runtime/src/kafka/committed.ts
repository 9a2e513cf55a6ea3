import type { Aborted } from './fetch.ts'
import { isAbort, type RecordBatch } from './record-batch.ts'

/**
 * Leaves out what is not data: markers of transactions, and batches of transactions that were thrown away. Several
 * producers' transactions may lie interleaved: each is followed by its producer's id from its first offset to its marker.
 *
 * @param aborted as the broker lists them for the very bytes that it sent
 * @source KIP-98, "Consumer"; the Java client's CompletedFetch
 */
export function* committed(
  batches: Iterable<RecordBatch>,
  aborted: readonly Aborted[],
): Generator<{ readonly batch: RecordBatch; readonly data: boolean }> {
  const ahead = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  const open = new Set<bigint>()
  for (const batch of batches) {
    while (ahead.length > 0 && ahead[0]!.firstOffset <= batch.lastOffset) open.add(ahead.shift()!.producerId)
    if (batch.control && isAbort(batch)) open.delete(batch.producerId)
    yield { batch, data: !batch.control && !(batch.transactional && open.has(batch.producerId)) }
  }
}
