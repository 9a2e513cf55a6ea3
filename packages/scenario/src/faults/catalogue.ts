import {
  another,
  category,
  dropped,
  failing,
  flipped,
  late,
  missing,
  nextWord,
  numeric,
  refused,
  sameAnswer,
  shiftedScore,
  slower,
  swapped,
  temperature,
  twice,
  unguarded,
} from './changes.ts'
import type { Fault, Need } from './fault.ts'

/** Miles taken for kilometres, and metres for kilometres. */
const kilometresAMile = 1.609_344
const thousand = 1_000

const number: readonly Need[] = ['numeric']
const words: readonly Need[] = ['category']
const scores: readonly Need[] = ['score']
const latency: readonly Need[] = ['latency']

const scaled = numeric((value, size) => value * size)
const stuck = numeric((_value, _size, { middle }) => middle)
const rounded = numeric((value, size, { width }) => Math.round(value / (size * width)) * size * width)
const beyond = numeric((value, size, { last, width }) => last + width * (size + Math.abs(value % 1)))
const stepped = numeric((value, size, { width }) => value + size * width)
const asText = numeric((value) => `${value} mi`)
const neverSeen = category(() => 'never-seen')
const commonest = category((value, [first], uniform) => (uniform < 0.5 ? (first ?? value) : value))
const shifted = category(nextWord)

/** Faults that have happened to models in production. A row of this table is one of them, at one size. */
export const catalogue: readonly Fault[] = [
  // ── A feature is computed or read wrongly, by the new version alone ──
  {
    id: 'unit',
    says: '{f} × 1.609 in the new version',
    needs: number,
    where: 'candidate',
    size: kilometresAMile,
    change: scaled,
  },
  {
    id: 'unit-thousand',
    says: '{f} × 1000 in the new version',
    needs: number,
    where: 'candidate',
    size: thousand,
    change: scaled,
  },
  {
    id: 'missing',
    says: '{f} is missing in the new version',
    needs: number,
    where: 'candidate',
    size: 1,
    change: missing,
  },
  {
    id: 'missing-part',
    says: '{f} is missing in 5 % of its rows',
    needs: number,
    where: 'candidate',
    size: 1,
    part: 0.05,
    change: missing,
  },
  {
    id: 'missing-creeping',
    says: '{f} is missing in up to 1.5 % of its rows, more and more',
    needs: number,
    where: 'candidate',
    size: 1,
    part: 0.015,
    rampPanes: 30,
    change: missing,
  },
  {
    id: 'swapped',
    says: '{f} and {o} are swapped in the new version',
    needs: ['numeric', 'other'],
    where: 'candidate',
    size: 1,
    change: swapped,
  },
  {
    id: 'stuck',
    says: '{f} is always the same in the new version',
    needs: number,
    where: 'candidate',
    size: 1,
    change: stuck,
  },
  {
    id: 'stuck-part',
    says: '{f} is always the same in 5 % of its rows',
    needs: number,
    where: 'candidate',
    size: 1,
    part: 0.05,
    change: stuck,
  },
  {
    id: 'out-of-range',
    says: '{f} lies beyond all that training knew in 5 % of its rows',
    needs: number,
    where: 'candidate',
    size: 1,
    part: 0.05,
    change: beyond,
  },
  {
    id: 'rounded',
    says: '{f} is rounded coarsely in the new version',
    needs: number,
    where: 'candidate',
    size: 0.25,
    change: rounded,
  },
  {
    id: 'shifted',
    says: '{f} is a little too high in the new version',
    needs: number,
    where: 'candidate',
    size: 0.1,
    change: stepped,
  },
  {
    id: 'invalid-type',
    says: '{f} is a text in 2 % of its rows',
    needs: number,
    where: 'candidate',
    size: 1,
    part: 0.02,
    change: asText,
  },
  {
    id: 'unguarded',
    says: '{u}, which no rule looks at, × 1000 in the new version',
    needs: ['unguarded'],
    where: 'candidate',
    size: thousand,
    change: unguarded((value, size) => value * size),
  },
  {
    id: 'unseen-category',
    says: '{c} holds a word that training never saw in 5 % of its rows',
    needs: words,
    where: 'candidate',
    size: 1,
    part: 0.05,
    change: neverSeen,
  },
  {
    id: 'category-mix',
    says: 'half of the {c} become the commonest one',
    needs: words,
    where: 'candidate',
    size: 1,
    change: commonest,
  },
  {
    id: 'category-off-by-one',
    says: 'each {c} is taken for the next one',
    needs: words,
    where: 'candidate',
    size: 1,
    change: shifted,
  },
  // ── The answers change ──
  {
    id: 'score-shift',
    says: 'scores are half a nat too high in the new version',
    needs: scores,
    where: 'candidate',
    size: 0.5,
    change: shiftedScore,
  },
  {
    id: 'temperature',
    says: 'scores are twice too sure in the new version',
    needs: scores,
    where: 'candidate',
    size: 0.5,
    change: temperature,
  },
  {
    id: 'constant-answer',
    says: 'the new version always answers the same',
    needs: scores,
    where: 'candidate',
    size: 1,
    change: sameAnswer,
  },
  {
    id: 'class-flip',
    says: 'the new version takes each class for another',
    needs: ['classes', 'score'],
    where: 'candidate',
    size: 1,
    change: flipped,
  },
  // ── Serving ──
  {
    id: 'slow',
    says: 'answers of the new version take twice as long',
    needs: latency,
    where: 'candidate',
    size: 2,
    change: slower,
  },
  {
    id: 'slow-tail',
    says: '3 % of its answers take ten times as long',
    needs: latency,
    where: 'candidate',
    size: 10,
    part: 0.03,
    change: slower,
  },
  {
    id: 'errors-twice',
    says: 'the new version fails twice as often',
    needs: ['errors'],
    where: 'candidate',
    size: 2,
    change: failing('error'),
  },
  {
    id: 'errors-five',
    says: 'the new version fails five times as often',
    needs: ['errors'],
    where: 'candidate',
    size: 5,
    change: failing('error'),
  },
  {
    id: 'timeouts',
    says: 'the new version is too late five times as often',
    needs: ['errors'],
    where: 'candidate',
    size: 5,
    change: failing('timeout'),
  },
  {
    id: 'errors-segment',
    says: '40 % of its answers about {s} fail',
    needs: ['segment'],
    where: 'candidate',
    size: 1,
    part: 0.4,
    within: 'frequent',
    change: refused,
  },
  {
    id: 'errors-rare-segment',
    says: 'all of its answers about {s} fail: 1 % of the traffic',
    needs: ['segment'],
    where: 'candidate',
    size: 1,
    within: 'rare',
    change: refused,
  },
  {
    id: 'unit-segment',
    says: '{f} × 1.609 for {s} alone',
    needs: ['numeric', 'segment'],
    where: 'candidate',
    size: kilometresAMile,
    within: 'frequent',
    change: scaled,
  },
  // ── The data are wrong for both versions: going back would not help ──
  {
    id: 'source-unit',
    says: '{f} × 1.609 from one producer, {p}',
    needs: number,
    where: 'producer',
    size: kilometresAMile,
    change: scaled,
  },
  {
    id: 'source-missing',
    says: '{f} is missing from one producer, {p}',
    needs: number,
    where: 'producer',
    size: 1,
    change: missing,
  },
  {
    id: 'source-silent',
    says: 'one producer, {p}, sends nothing',
    needs: [],
    where: 'producer',
    size: 1,
    change: dropped,
  },
  {
    id: 'unit-both',
    says: '{f} × 1.609 in both versions',
    needs: number,
    where: 'both',
    size: kilometresAMile,
    change: scaled,
  },
  {
    id: 'mix-both',
    says: 'half of the {c} become the commonest one in both versions',
    needs: words,
    where: 'both',
    size: 1,
    change: commonest,
  },
  { id: 'duplicates', says: 'each row comes twice', needs: [], where: 'both', size: 1, change: twice },
  {
    id: 'late',
    says: 'a fifth of the rows comes ten minutes late',
    needs: [],
    where: 'both',
    size: 600_000,
    part: 0.2,
    change: late,
  },
  { id: 'silence', says: 'no row comes any more', needs: [], where: 'both', size: 1, change: dropped },
  {
    id: 'volume-half',
    says: 'half of the rows do not come',
    needs: [],
    where: 'both',
    size: 1,
    part: 0.5,
    change: dropped,
  },
  {
    id: 'volume-more',
    says: 'half as many rows more, of the same kind: a busy day, no fault',
    needs: [],
    where: 'both',
    size: 1,
    part: 0.5,
    isHarmless: true,
    change: another,
  },
]

/** The fault of that name, or undefined. */
export function faultOf(id: string): Fault | undefined {
  return catalogue.find((fault) => fault.id === id)
}
