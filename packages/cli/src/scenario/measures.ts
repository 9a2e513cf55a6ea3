import { readDuration, readRatio } from '@interlock/policy'
import { UsageError } from '../errors.ts'

/** `90s`, `5m`, `24h` → ms. @throws UsageError naming the option */
export function durationOf(option: string, text: string): number {
  const ms = readDuration(text)
  if (ms === null) throw new UsageError(`${option} "${text}": write a time such as 90s, 5m or 24h.`)
  return ms
}

/** `95%` or `0.95` → 0.95. @throws UsageError naming the option */
export function partOf(option: string, text: string): number {
  const ratio = readRatio(text.includes('%') ? text : Number(text))
  if (ratio === null || ratio > 1) throw new UsageError(`${option} "${text}": write a percentage such as 95%.`)
  return ratio
}
