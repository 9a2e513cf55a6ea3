import type { Brand } from './brand.ts'

/** Name of a serving endpoint under guard, unique in its environment: `[a-z0-9][a-z0-9-]{0,62}`. */
export type DeploymentId = Brand<string, 'DeploymentId'>
/** A model version, `<model>@<version>`, described by a manifest. */
export type VersionId = Brand<string, 'VersionId'>
/** SHA-256 as 64 lower-case hex digits. Names documents, artifacts, evidence and policies by content. */
export type Hash = Brand<string, 'Hash'>
/** First 32 hex digits of SHA-256 over the SPKI bytes of a public key. */
export type KeyId = Brand<string, 'KeyId'>
/** Who a person is: one identity, whatever the number of accounts or keys. */
export type PersonId = Brand<string, 'PersonId'>
export type AgentId = Brand<string, 'AgentId'>

export const deploymentIdPattern = /^[a-z0-9][a-z0-9-]{0,62}$/

/**
 * The synthetic deployment, which breaches by design (docs/reliability.md "Dead-man's switch"). The name is reserved: nobody is
 * told of its breaches, and it stands outside the fleet's brakes.
 */
export const probeDeployment = 'interlock-probe' as DeploymentId
export function isProbe(deployment: string): boolean {
  return deployment === probeDeployment
}

/** @returns the id, or undefined when `text` is not a lawful deployment id (too long, look-alike letters, empty). */
export function deploymentId(text: string): DeploymentId | undefined {
  return deploymentIdPattern.test(text) ? (text as DeploymentId) : undefined
}
