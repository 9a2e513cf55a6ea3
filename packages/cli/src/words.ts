import type { StateOut, Verdict } from '@interlock/contracts'
import pc from 'picocolors'

/** Attention as shape, word and colour: never by colour alone (docs/console.md). */
export function attentionWord(attention: StateOut['attention']): string {
  switch (attention) {
    case 'act-now':
      return pc.red('⬣ Act now')
    case 'not-watched':
      return pc.dim('▨ Not watched')
    case 'watch':
      return pc.yellow('▲ Watch')
    case 'handled':
      return pc.blue('↩ Handled')
    case 'healthy':
      return pc.green('✓ Healthy')
  }
}

export function verdictMark(verdict: Verdict): string {
  switch (verdict) {
    case 'pass':
      return pc.green('✓')
    case 'watch':
      return pc.yellow('▲')
    case 'breach':
      return pc.red('⬣')
    case 'inconclusive':
      return pc.blue('…')
    case 'no-data':
      return pc.dim('▨')
  }
}

/** `14:03:12` in the machine's zone. */
export function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB', { hour12: false })
}

export function percent(share: number): string {
  const value = share * 100
  return `${Number.isInteger(value) ? value : value.toFixed(1)} %`
}

/** `flight-delay@v2` as people say it: `v2`. */
export function shortVersion(version: string | null): string {
  if (version === null) return 'none'
  return version.slice(version.indexOf('@') + 1)
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}
