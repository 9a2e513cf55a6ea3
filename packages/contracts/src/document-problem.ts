import { WrongShape, writeAvro } from './avro/write.ts'
import { contentHash } from './canonical.ts'
import { addPacked, layoutOf } from './counts.ts'
import type { BaselineDocument, Document } from './document.ts'
import { ownRegistry } from './schema-registry.ts'

const digest = /^[0-9a-f]{64}$/

/**
 * What is wrong with a document that may come from outside, as a clause without a full stop; null for a lawful one: it
 * has exactly the fields that schemas/parts/ declare, and a baseline's counts are those of its own spec and rows.
 */
export function documentProblem(document: Document): string | null {
  const problem = shapeProblem(document)
  if (problem !== null) return problem
  if (document.kind === 'manifest') {
    if (!digest.test(document.digest)) return 'its digest is no SHA-256 in lower-case hex'
    if (!digest.test(document.baseline)) return 'its baseline is no hash of 64 hex digits'
  }
  return document.kind === 'baseline' ? baselineProblem(document) : null
}

/** A document travels in a request, so that the request's schema knows its shape. */
function shapeProblem(document: Document): string | null {
  const record = { v: 1, id: '', environment: '', by: '', request: { kind: 'document', document } }
  try {
    writeAvro(ownRegistry.newest('request').node, record)
    return null
  } catch (error) {
    if (!(error instanceof WrongShape)) throw error
    return error.message.replace(/^\S+: request\.document\.?/, '').trim()
  }
}

const hoursAWeek = 168

/** Cells that a detector would stumble over: a missing hour, or an amount that is none. */
function volumeProblem({ volume }: BaselineDocument): string | null {
  if (volume === undefined) return null
  for (const name of ['rows', 'scale', 'weeks'] as const) {
    const cells = volume[name]
    if (cells.length !== hoursAWeek)
      return `its volume.${name} has ${cells.length} cells, not one for each of 168 hours`
    if (!cells.every((cell) => Number.isFinite(cell) && cell >= 0)) return `its volume.${name} holds no lawful amount`
  }
  return null
}

/** A design effect below 1 would turn chance into evidence. */
function phiProblem({ phi, slices }: BaselineDocument): string | null {
  for (const effects of [phi, ...slices.map((slice) => slice.phi ?? {})]) {
    const odd = Object.entries(effects).find(([, effect]) => !(Number.isFinite(effect) && effect >= 1))
    if (odd !== undefined) return `its design effect of ${odd[0]} is ${odd[1]}, and none is below 1`
  }
  return null
}

function baselineProblem(document: BaselineDocument): string | null {
  const unlawful = volumeProblem(document) ?? phiProblem(document)
  if (unlawful !== null) return unlawful
  if (contentHash(document.spec) !== document.specHash) return 'its spec has another hash than it says'
  const { width, rows } = layoutOf(document.spec)
  let sum = 0
  try {
    for (const { dimension, counts } of document.slices) {
      const vector = new Float64Array(width)
      addPacked(Buffer.from(counts, 'base64'), vector)
      if (dimension === 'producer') sum += vector[rows] ?? 0
    }
  } catch (error) {
    if (error instanceof RangeError) return `its counts do not fit its spec: ${error.message}`
    throw error
  }
  return sum === document.rows ? null : `its producers have ${sum} rows, and it says ${document.rows}`
}
