export { evaluatorInputs } from './main.ts'
export type { Methods } from './plan.ts'
export { createEvaluator, type EvaluatorConfig } from './processor.ts'
export type { Evaluated, Watched } from './state.ts'
