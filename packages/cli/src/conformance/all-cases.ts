import type { Case } from './case.ts'
import { crashCases } from './cases/crashes.ts'
import { forgeryCases } from './cases/forgeries.ts'
import { grantCases } from './cases/grants.ts'
import { orderCases } from './cases/orders.ts'
import { endpointCases, factCases, keyCases } from './cases/others.ts'
import { honestyCase, platformCases } from './cases/platform.ts'

/** Every case, in the order in which they run: what looks at the whole run and what changes keys comes last. */
export const allCases: readonly Case[] = [
  ...orderCases,
  ...platformCases,
  ...grantCases,
  ...endpointCases,
  ...forgeryCases,
  ...crashCases,
  ...keyCases,
  honestyCase,
  ...factCases,
]
