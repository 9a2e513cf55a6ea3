/** A string or number that the compiler keeps apart from others of its kind. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name }

/** Fails to compile when a union gained a case that a switch does not handle; throws if it is reached all the same. */
export function unreachable(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`)
}
