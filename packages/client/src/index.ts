export type { Drop, EmitterClock, EmitterCounts, EmitterOptions } from './emitter.ts'
export { Emitter } from './emitter.ts'
export { encodeArrow } from './encode-arrow.ts'
export type { Format } from './encode-batch.ts'
