import type { Config } from '../config.ts'
import type { Output } from '../output.ts'

/**
 * Runs one command: its exit code, or one sentence for a person and the exit code of what went wrong. Each command is
 * imported when it is asked for, so that `status` need not load what `up` needs.
 */
export type Run = (work: (config: () => Config, out: Output) => number | Promise<number>) => Promise<void>
