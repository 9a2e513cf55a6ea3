import { randomUUID } from 'node:crypto'
import {
  type DeploymentId,
  type Hash,
  type PersonId,
  type Request,
  type Signer,
  shardOf,
  signRequest,
  topics,
} from '@interlock/contracts'
import type { EventLog } from '@interlock/runtime'
import type { Introduction } from '../introduction.ts'

/** Hashes of a deployment's document and of its policy. */
export interface Registration {
  readonly document: Hash
  readonly policy: Hash
}

/** Appends until the log says where it is: a request's id makes a repetition harmless. */
async function append(log: EventLog, partition: number, key: string, value: Uint8Array): Promise<{ offset: bigint }> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const appended = await log.append(topics.requests, partition, { key: Buffer.from(key), value })
    if (appended !== 'unknown') return appended
  }
  throw new Error(
    'the log does not say whether the request was recorded; ask again: its id makes a repetition harmless',
  )
}

/** Records a person's signed request where its deployment's shard reads it. */
export async function recordRequest(
  log: EventLog,
  deployment: DeploymentId,
  envelope: Uint8Array,
): Promise<{ readonly offset: bigint }> {
  return append(log, shardOf(deployment, await log.partitions(topics.requests)), deployment, envelope)
}

/** Records the keyset for every shard: each checks signatures by itself. */
export async function recordKeyset(log: EventLog, envelope: Uint8Array): Promise<void> {
  const partitions = await log.partitions(topics.requests)
  for (let partition = 0; partition < partitions; partition++) await append(log, partition, 'keyset', envelope)
}

/** Signs as a person and records; resolves when it is durable. */
export type Submit = (deployment: DeploymentId, request: Request, id?: string) => Promise<{ readonly offset: bigint }>

export function submitAs(
  log: EventLog,
  environment: string,
  person: string,
  signer: Signer,
  now: () => number = Date.now,
): Submit {
  return (deployment, request, id = randomUUID()) => {
    const record = { v: 1, id, environment, by: person as PersonId, request, at: now() } as const
    return recordRequest(log, deployment, signRequest(record, signer))
  }
}

/** Sends every deployment's documents and its registration. What is known already changes nothing. */
export async function introduce(
  introductions: readonly Introduction[],
  submit: Submit,
): Promise<ReadonlyMap<DeploymentId, Registration>> {
  const registrations = new Map<DeploymentId, Registration>()
  for (const { deployment, registration, manifest, baseline, policy } of introductions) {
    for (const { document, hash } of [baseline, manifest, policy, registration]) {
      await submit(deployment, { kind: 'document', document }, `document-${hash}`)
    }
    await submit(
      deployment,
      { kind: 'register', deployment, document: registration.hash },
      `register-${registration.hash}`,
    )
    registrations.set(deployment, { document: registration.hash, policy: policy.hash })
  }
  return registrations
}
