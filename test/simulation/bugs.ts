import type { Bug } from './bug.ts'
import { bugsOfRuntime } from './bugs-of-runtime.ts'
import { bugsOfServices } from './bugs-of-services.ts'

/** All seeded bugs: what the simulation must catch. */
export const bugs: readonly Bug[] = [...bugsOfRuntime, ...bugsOfServices]
