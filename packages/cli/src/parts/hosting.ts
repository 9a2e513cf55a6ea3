import { createPublicKey, randomUUID } from 'node:crypto'
import {
  decodeOut,
  type LogRecord,
  type Order,
  type Out,
  type Signer,
  shardLog,
  signCommand,
  verifyCommand,
} from '@interlock/contracts'
import { signAudit } from '@interlock/governor'
import { type Gate, runHost, runPublisher } from '@interlock/runtime'
import { ownedShards } from './owned-shards.ts'
import * as plan from './processors.ts'
import { schemaGate } from './registry.ts'
import { secondPathParts } from './second-path.ts'
import type { Part, Wiring } from './wiring.ts'

/** Runs the shards of a processor that this process owns. */
export function hostPart(wiring: Wiring, { name, run }: plan.WiredProcessor, gate?: Gate): Part {
  const membership = wiring.membership(name)
  return (signal) =>
    run((processor, inputs, mustReproduce) =>
      runHost(
        { ...wiring, newOwner: randomUUID, membership, processor, inputs, mustReproduce, ...(gate ? { gate } : {}) },
        signal,
      ),
    )
}

/** Copies the public outs of the shard logs that this process owns to their topics. */
export function publisherPart(
  wiring: Wiring,
  { name, kinds }: plan.WiredProcessor,
  sign?: (out: Out) => Uint8Array,
  orderOf?: (record: LogRecord) => Order | null,
): Part {
  return ownedShards(wiring.membership(name), (shard, signal) =>
    runPublisher(
      {
        ...wiring,
        shardLog: { topic: shardLog(name), partition: shard },
        kinds,
        ...(sign === undefined ? {} : { sign }),
        ...(orderOf === undefined ? {} : { orderOf }),
      },
      signal,
    ),
  )
}

/**
 * The order of a public command that this governor signed for this environment. Anybody can write an `order` into a header, and
 * a publisher that believed it would keep the real command back as outranked.
 */
function signedOrder(environment: string, governor: Signer): (record: LogRecord) => Order | null {
  const spki = createPublicKey(governor.privateKey).export({ type: 'spki', format: 'der' })
  const { keyId } = governor
  const keys = [
    { keyId, publicKey: spki.toString('base64'), roles: ['governor'], holder: 'governor', may: [] },
  ] as const
  return ({ value }) => {
    const verified = value === null ? null : verifyCommand(value, keys)
    return verified?.ok && verified.value.environment === environment ? verified.value.order : null
  }
}

export function profilerParts(wiring: Wiring): readonly Part[] {
  const own = plan.profiler(wiring)
  const schemas = schemaGate(wiring)
  return [hostPart(wiring, own, schemas?.gate), publisherPart(wiring, own), ...(schemas ? [schemas.part] : [])]
}

export function evaluatorParts(wiring: Wiring): readonly Part[] {
  const own = plan.evaluator(wiring)
  return [hostPart(wiring, own), publisherPart(wiring, own)]
}

/** The governor with the fleet beside it. */
export function governorParts(
  wiring: Wiring,
  keys: {
    /** Signs commands. */
    readonly governor: Signer
    /** Signs the ledger. */
    readonly fleet: Signer
    /** Public root key, SPKI DER in base64. */
    readonly rootKey: string
  },
): readonly Part[] {
  const own = plan.governor(wiring, keys.rootKey)
  const sign = (out: Out): Uint8Array => {
    const decoded = decodeOut(out)
    return decoded.kind === 'command' ? signCommand(decoded.command, keys.governor) : out.value
  }
  const fleet = plan.fleet(wiring)
  const { environment } = wiring.config
  return [
    hostPart(wiring, own),
    publisherPart(wiring, own, sign, signedOrder(environment, keys.governor)),
    hostPart(wiring, fleet),
    publisherPart(wiring, fleet, (out) => signAudit(out, environment, keys.fleet)),
    ...secondPathParts(wiring, keys.governor),
  ]
}
