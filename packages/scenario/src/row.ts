import type { Json, Prediction } from '@interlock/contracts'

/** A prediction event as it goes into a scenario. A fault may put into a feature what is no feature's value. */
export type Row = Omit<Prediction, 'features'> & { readonly features: Readonly<Record<string, Json>> }
