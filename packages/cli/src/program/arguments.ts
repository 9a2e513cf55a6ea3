import { type DeploymentId, deploymentId } from '@interlock/contracts'
import { InvalidArgumentError } from 'commander'

/** Parses an argument, or says what a lawful one looks like. */
export function lawfulDeployment(text: string): DeploymentId {
  const id = deploymentId(text)
  if (id === undefined)
    throw new InvalidArgumentError('a deployment is named by lower-case letters, digits and dashes.')
  return id
}
export function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('write a whole number.')
  return value
}
export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('write a number above 0.')
  return value
}
export function notNegative(text: string): number {
  const value = Number(text)
  if (!(value >= 0)) throw new InvalidArgumentError('write 0 or more.')
  return value
}
export function positiveWhole(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('write a whole number above 0.')
  return value
}
export function minutesOfOffset(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || Math.abs(value) > 14 * 60)
    throw new InvalidArgumentError('write whole minutes from -840 to 840, such as -300 for UTC-5.')
  return value
}
