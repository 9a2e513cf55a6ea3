import type { Part } from './said.ts'

/** A clause or sentence under way. */
export type Words = readonly Part[]

/** Builds a sentence from a template; strings are plain words, parts and clauses go in as they are. */
export function words(texts: TemplateStringsArray, ...pieces: readonly (string | Part | Words)[]): Words {
  const parts: Part[] = []
  const put = (piece: string | Part): void => {
    const part: Part = typeof piece === 'string' ? { kind: 'text', text: piece } : piece
    if (part.text === '') return
    const last = parts.at(-1)
    if (last?.kind === 'text' && part.kind === 'text')
      parts[parts.length - 1] = { kind: 'text', text: last.text + part.text }
    else parts.push(part)
  }
  for (const [index, text] of texts.entries()) {
    put(text)
    const piece = pieces[index]
    if (piece === undefined) continue
    if (typeof piece === 'string' || 'text' in piece) put(piece)
    else for (const part of piece) put(part)
  }
  return parts
}

export function textOf(parts: Words): string {
  return parts.map(({ text }) => text).join('')
}

/** Number of words as a reader counts them: what holds a letter or a digit. */
export function wordCount(parts: Words): number {
  return textOf(parts)
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word)).length
}

/**
 * The first letter in upper case, for the beginning of a sentence. A first word that is no plain word (a version such as "v2", an
 * id, something in quotes) stays as it is: it is a name.
 */
export function capital(text: string): string {
  return /^\p{Ll}[\p{L}\p{M}'’-]*(?![^\s,.:;?!)])/u.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text
}

/** What somebody wrote, as a sentence. */
export function withStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/** `flight-delay@v2` is called "v2". */
export function version(id: string): Part {
  return { kind: 'name', text: id.slice(id.lastIndexOf('@') + 1), value: id }
}

/** A name given by somebody else: in quotes. */
export function quoted(name: string): Part {
  return { kind: 'name', text: `"${name}"`, value: name }
}

/** A name for people; one that stands in quotes already stays so. */
export function named(name: string): Part {
  return { kind: 'name', text: name, value: name }
}

/** A person is known by the id; the part before an @ is enough to read. */
export function person(id: string): Part {
  return { kind: 'name', text: id.split('@')[0] || id, value: id }
}

/** `1600` → `1,600`: a count, exact. */
export function count(value: number): Part {
  return { kind: 'number', text: grouped(Math.round(value)), value }
}

/** A share as "20 %", two digits. */
export function percent(share: number): Part {
  return { kind: 'number', text: `${twoDigits(share * 100)} %`, value: share }
}

/** Two digits that count, without a power of ten: 1.6, 0.24, 840. */
export function twoDigits(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 10) return grouped(Math.round(value))
  let digits = 1
  for (let scaled = size; scaled < 1 && digits < 12; scaled *= 10) digits++
  return String(Number(value.toFixed(digits)))
}

/** Both shares on one base: 100, or the next power of ten as long as one of them is below 1 of it. */
export function sharesOf(
  now: number,
  before: number,
): { readonly now: Part; readonly before: Part; readonly base: Part } {
  let base = 100
  for (const largest = 1_000_000; base < largest; base *= 10) {
    const small = [now, before].some((share) => share > 0 && share * base < 1)
    const blurred = now !== before && Math.round(now * base) === Math.round(before * base)
    if (!small && !blurred) break
  }
  return { now: count(now * base), before: count(before * base), base: count(base) }
}

/** A ratio above 0: "the same", "20 % more", "1.6 times", "over 10 times". */
export function times(ratio: number): string {
  if (ratio >= 0.95 && ratio <= 1.05) return 'the same as'
  if (ratio < 0.95) return `about ${Math.round((1 - ratio) * 100)} % less than`
  if (ratio < 1.5) return `about ${Math.round((ratio - 1) * 100)} % more than`
  if (ratio < 10) return `about ${twoDigits(ratio)} times`
  return 'over 10 times'
}

/** Milliseconds as a person says them: "410 ms", "9 s", "20 min", "4 h", "2 days". */
export function duration(ms: number): Part {
  const steps = [
    [172_800_000, 86_400_000, 'days'],
    [7_200_000, 3_600_000, 'h'],
    [120_000, 60_000, 'min'],
    [1_000, 1_000, 's'],
  ] as const
  const step = steps.find(([from]) => ms >= from)
  const text = step === undefined ? `${Math.max(0, Math.round(ms))} ms` : `${twoDigits(ms / step[1])} ${step[2]}`
  return { kind: 'number', text, value: ms }
}

/** A moment on the clock, UTC: "14:02 UTC", "14:02:07 UTC". */
export function clock(at: number): Part {
  const iso = new Date(at).toISOString()
  const seconds = iso.slice(17, 19)
  return { kind: 'time', text: `${iso.slice(11, 16)}${seconds === '00' ? '' : `:${seconds}`} UTC`, value: at }
}

const months = 'January February March April May June July August September October November December'.split(' ')

/** A day, UTC: "1 December 2026". */
export function day(at: number): Part {
  const date = new Date(at)
  const text = `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`
  return { kind: 'time', text, value: at }
}

/** Beginning of something that is known as a span: " since 14:02:07 UTC", " since about 14:02 UTC", or nothing. */
export function since(from: number | null, to: number | null): Words {
  if (from === null) return []
  const width = to === null ? 0 : to - from
  return width <= wideMs
    ? words` since ${clock(from)}`
    : words` since about ${clock(Math.floor(from / 60_000) * 60_000)}`
}

/** An onset known only to within more than this is told to the minute, with "about". */
const wideMs = 60_000

/** Part of the evidence that is needed, by quarters. */
export function evidenceWords(progress: number): string {
  if (progress >= 1) return 'enough evidence'
  if (progress >= 0.75) return 'nearly enough evidence'
  if (progress >= 0.5) return 'much evidence'
  if (progress >= 0.25) return 'some evidence'
  return 'little evidence'
}

function grouped(whole: number): string {
  return String(whole).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}
