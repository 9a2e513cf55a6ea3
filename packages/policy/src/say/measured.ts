import type { MeasuredFact } from './fact.ts'
import { type Message, message } from './message.ts'
import {
  capital,
  clock,
  count,
  duration,
  named,
  percent,
  quoted,
  sharesOf,
  since,
  times,
  twoDigits,
  version,
  type Words,
  wordCount,
  words,
} from './phrases.ts'
import type { Part } from './said.ts'

type Measurement = Exclude<MeasuredFact, { kind: 'silence' }>

/** What was measured, how much, since when, where, and how sure. */
export function sayMeasured(fact: MeasuredFact): Message {
  switch (fact.kind) {
    case 'silence':
      return silence(fact)
    case 'distribution-differs':
      return whole(fact, distribution(fact))
    case 'predictions-differ':
      return whole(fact, predictions(fact))
    case 'feature-missing':
      return whole(fact, featureRate(fact, 'is missing in'))
    case 'feature-unseen':
      return whole(fact, featureRate(fact, 'is new to the model in'))
    case 'feature-invalid':
      return whole(fact, featureRate(fact, 'is broken in'))
    case 'error-rate':
      return whole(fact, errors(fact))
    case 'duplicate-rate':
      return whole(fact, duplicates(fact))
    case 'slow-answers':
      return whole(fact, slow(fact))
    case 'mean-moved':
      return whole(fact, meanMoved(fact))
    case 'amount-differs':
      return whole(fact, amount(fact))
  }
}

/** A reader keeps about so many words in mind. */
export const longestSentence = 25

function whole(fact: Measurement, sentences: readonly Words[]): Message {
  const all = [...sentences, where(fact), odds(fact)].filter((sentence) => sentence.length > 0)
  return message(`${fact.kind}.${fact.than === null ? 'before' : 'other'}`, ...all.slice(0, 3))
}

function distribution(fact: Extract<Measurement, { kind: 'distribution-differs' }>): readonly Words[] {
  const feature = named(capital(fact.feature))
  const begun = since(fact.since, fact.sinceTo)
  const subject = fact.than === null ? words`${feature}` : words`${feature} in ${version(fact.version)}`
  const other = fact.than === null ? words`the training data` : words`${version(fact.than)}`
  const clause = fact.bin === null ? null : binClause(fact.bin, fact.unit)
  if (fact.factor !== null && times(fact.factor) !== 'the same as') {
    const head = words`${subject} is ${times(fact.factor)} that in ${other}${begun}.`
    return clause === null ? [head] : [head, shareSentence(fact, clause)]
  }
  const head = words`${subject} differs from ${other}${begun}`
  if (clause === null) return [words`${head}.`]
  return oneOrTwo(head, fact, clause)
}

function predictions(fact: Extract<Measurement, { kind: 'predictions-differ' }>): readonly Words[] {
  const other = fact.than === null ? 'training' : words`those of ${version(fact.than)}`
  const head = words`The answers of ${version(fact.version)} differ from ${other}${since(fact.since, fact.sinceTo)}`
  if (fact.bin === null) return [words`${head}.`]
  return oneOrTwo(head, fact, answerClause(fact.bin))
}

function featureRate(fact: Extract<Measurement, { kind: `feature-${string}` }>, verb: string): readonly Words[] {
  const { now, base, before } = sharesOf(fact.now, fact.before)
  const who = fact.than === null ? words`` : words` of ${version(fact.version)}`
  return [
    words`${named(capital(fact.feature))} ${verb} ${now} in ${base} ${rowsOf(fact)}${who}${since(fact.since, fact.sinceTo)}; ${was(fact)} ${before}.`,
  ]
}

function errors(fact: Extract<Measurement, { kind: 'error-rate' }>): readonly Words[] {
  const { now, base, before } = sharesOf(fact.now, fact.before)
  const end = fact.than === null ? words`it was ${before}` : words`${version(fact.than)} on ${before}`
  return [
    words`${version(fact.version)} fails on ${now} in ${base} ${rowsOf(fact)}${since(fact.since, fact.sinceTo)}; ${end}.`,
  ]
}

function duplicates(fact: Extract<Measurement, { kind: 'duplicate-rate' }>): readonly Words[] {
  const { now, base, before } = sharesOf(fact.now, fact.before)
  const verb = now.text === '1' ? 'is a repeat' : 'are repeats'
  return [
    words`${now} in ${base} ${rowsOf(fact)} of ${version(fact.version)} ${verb}${since(fact.since, fact.sinceTo)}; ${was(fact)} ${before}.`,
  ]
}

function slow(fact: Extract<Measurement, { kind: 'slow-answers' }>): readonly Words[] {
  const { now, base, before } = sharesOf(fact.now, fact.before)
  const limit = fact.limitMs === null ? words`longer than usual` : words`over ${duration(fact.limitMs)}`
  const verb = now.text === '1' ? 'takes' : 'take'
  const who = fact.than === null ? words`` : words` of ${version(fact.version)}`
  return [
    words`${now} in ${base} answers${who}${inSlice(fact)} ${verb} ${limit}${since(fact.since, fact.sinceTo)}; ${was(fact)} ${before}.`,
  ]
}

function meanMoved(fact: Extract<Measurement, { kind: 'mean-moved' }>): readonly Words[] {
  const by = { kind: 'number', text: twoDigits(Math.abs(fact.by)), value: fact.by } as const
  const size = fact.unit === null ? words`${by}` : words`${by} ${fact.unit}`
  const way = fact.by < 0 ? 'lower' : 'higher'
  return [
    words`${named(capital(fact.feature))}${inSlice(fact)} is ${size} ${way} on average than in training${since(fact.since, fact.sinceTo)}.`,
  ]
}

function amount(fact: Extract<Measurement, { kind: 'amount-differs' }>): readonly Words[] {
  return [
    words`${count(fact.now)} ${fact.rows} came${since(fact.since, fact.sinceTo)}; ${count(fact.before)} are usual in that time.`,
  ]
}

function silence(fact: Extract<MeasuredFact, { kind: 'silence' }>): Message {
  if (fact.last === null) return message('silence.never', words`${version(fact.version)} has had no ${fact.rows} yet.`)
  return message(
    'silence.stopped',
    words`${version(fact.version)} has had no ${fact.rows} since ${clock(fact.last)}, for ${duration(fact.at - fact.last)}.`,
  )
}

function oneOrTwo(head: Words, fact: Shares, clause: Words): readonly Words[] {
  const { now, base, before } = sharesOf(fact.now, fact.before)
  const one = words`${head}: ${now} in ${base} ${rowsOf(fact)} ${clause}; ${was(fact)} ${before}${fact.than === null ? words` in ${base}` : ''}.`
  return wordCount(one) <= longestSentence ? [one] : [words`${head}.`, shareSentence(fact, clause)]
}

type Shares = Extract<Measurement, { kind: 'distribution-differs' | 'predictions-differ' }>

function shareSentence(fact: Shares, clause: Words): Words {
  const { now, base, before } = sharesOf(fact.now, fact.before)
  return words`Of ${base} ${rowsOf(fact)}, ${now} ${clause}; ${was(fact)} ${before}.`
}

function was(fact: Measurement): Words {
  return fact.than === null ? words`it was` : words`in ${version(fact.than)} it is`
}

/** "flights", or `flights of airport "ORD"` where only those are counted. */
function rowsOf(fact: Extract<Measurement, { readonly rows: string }>): Words {
  return words`${fact.rows}${inSlice(fact)}`
}

function inSlice(fact: Measurement): Words {
  const { where, whereValue, whereOnly } = fact
  return whereOnly && where !== null && whereValue !== null ? words` of ${where} ${quoted(whereValue)}` : []
}

function where(fact: Measurement): Words {
  const { where, whereValue, whereOnly, whereShare = null, whereTraffic = null } = fact
  if (where === null || whereValue === null) return []
  if (whereShare !== null && whereTraffic !== null) {
    const place = whereOnly ? words`there` : words`from ${where} ${quoted(whereValue)}`
    return words`${percent(whereShare)} of the excess ${whereOnly ? 'is' : 'comes'} ${place}, with ${percent(whereTraffic)} of the traffic.`
  }
  if (whereOnly) return []
  return words`Most of it comes from ${where} ${quoted(whereValue)}.`
}

function odds(fact: Measurement): Words {
  if (fact.odds === null || fact.oddsOf === null) return []
  const often = count(fact.odds)
  if (fact.oddsOf === 'rollouts') return words`Fewer than 1 in ${often} healthy rollouts look like this.`
  const span = fact.odds === 1 ? words`a ${fact.oddsOf.slice(0, -1)}` : words`${often} ${fact.oddsOf}`
  return words`Chance alone would do this less than once in ${span}.`
}

/** "are over 1,600 miles", "lie between 0.1 and 0.2", `have "ORD"`, "have no value". */
function binClause(bin: string, unit: string | null): Words {
  const special = specialBins.get(bin)
  if (special !== undefined) return words`${special}`
  const span = spanOf(bin)
  if (span === null) return words`have ${category(bin)}`
  return unit === null ? words`lie ${span}` : words`are ${span} ${unit}`
}

function answerClause(bin: string): Words {
  const special = specialBins.get(bin)
  if (special !== undefined) return words`${special}`
  const span = spanOf(bin)
  return span === null ? words`are called ${category(bin)}` : words`score ${span}`
}

/** A category stands in quotes already where it was told from a range. */
function category(bin: string): Part {
  return bin.startsWith('"') ? named(bin) : quoted(bin)
}

const specialBins: ReadonlyMap<string, string> = new Map([
  ['missing', 'have no value'],
  ['invalid', 'have a broken value'],
  ['unseen', 'have a value that is new'],
  ['__other__', 'have a rare value'],
])

/** A numeric bin's name in words, or null where it is no range: "1,600 and more", "337 to 450", "below 31". */
function spanOf(bin: string): string | null {
  const range = /^(-?[\d.,]+(?:e[+-]?\d+)?) to (-?[\d.,]+(?:e[+-]?\d+)?)$/.exec(bin)
  if (range) return `between ${range[1]} and ${range[2]}`
  const more = /^(-?[\d.,]+(?:e[+-]?\d+)?) and more$/.exec(bin)
  if (more) return `at least ${more[1]}`
  const over = /^(?:above|over) (-?[\d.,]+(?:e[+-]?\d+)?)$/.exec(bin)
  if (over) return `over ${over[1]}`
  const under = /^below (-?[\d.,]+(?:e[+-]?\d+)?)$/.exec(bin)
  return under ? `below ${under[1]}` : null
}
