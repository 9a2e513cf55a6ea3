import { randomUUID } from 'node:crypto'
import { type DeploymentId, type PersonId, type Request, signRequest } from '@interlock/contracts'
import type { ApiClient } from './api-client.ts'
import type { Config } from './config.ts'
import { UsageError } from './errors.ts'
import type { LocalKey } from './parts/key-store.ts'
import { ownKey } from './parts/keys.ts'

/** Signs requests with a person's own key and hands them to the running Interlock, which only records them. */
export interface Requester {
  /** Resolves with the request's id once it is durable in the log. What comes of it is a decision. */
  submit(deployment: DeploymentId, request: Request): Promise<string>
}

/** @throws UsageError when interlock.yaml names no such person. */
export async function requesterFor(config: Config, api: ApiClient, person: string): Promise<Requester> {
  const { signer } = await personKey(config, person)
  return {
    async submit(deployment, request) {
      const id = randomUUID()
      const envelope = signRequest(
        { v: 1, id, environment: config.environment, by: person as PersonId, request, at: Date.now() },
        signer,
      )
      await api.post(
        `/api/v1/signed-requests?deployment=${encodeURIComponent(deployment)}`,
        JSON.parse(new TextDecoder().decode(envelope)),
      )
      return id
    },
  }
}

/** A person's own key. @throws UsageError when interlock.yaml names no such person. */
export async function personKey(config: Config, person: string): Promise<LocalKey> {
  if (!config.people.some(({ id }) => id === person)) {
    throw new UsageError(
      `"${person}" is nobody that interlock.yaml names; people are ${config.people.map(({ id }) => id).join(', ')}. Choose with --as.`,
    )
  }
  return ownKey(config, person)
}
