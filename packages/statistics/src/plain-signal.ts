import type { SignalView } from '@interlock/contracts'

/** What a signal's shape is made of, where no counts of whole rows stand behind it. */
export type SignalShape =
  | { readonly kind: 'rate' }
  | { readonly kind: 'volume' }
  | { readonly kind: 'histogram'; readonly bins: readonly string[]; readonly ordered?: readonly number[] }
  | { readonly kind: 'mean'; readonly bins: readonly string[]; readonly edges: readonly number[] }

/** A signal that reads nothing but its own counts: events and trials; bins; rows. */
export function plainSignal(shape: SignalShape): SignalView {
  switch (shape.kind) {
    case 'rate':
      return { kind: 'rate', id: 'rate', read: ([events = 0, trials = 0]) => ({ events, trials }) }
    case 'volume':
      return { kind: 'volume', id: 'volume', read: ([rows = 0]) => rows }
    case 'mean':
      return { kind: 'mean', id: 'mean', bins: shape.bins, edges: shape.edges, read: (counts) => counts }
    case 'histogram': {
      const { bins, ordered } = shape
      const order = ordered === undefined ? {} : { ordered }
      return { kind: 'histogram', id: 'histogram', bins, ...order, read: (counts) => counts }
    }
  }
}

/** The counts that `plainSignal` of a signal reads, out of counts of whole rows. */
export function plainCounts(signal: SignalView, counts: Float64Array): Float64Array {
  switch (signal.kind) {
    case 'rate': {
      const { events, trials } = signal.read(counts)
      return Float64Array.of(events, trials)
    }
    case 'volume':
      return Float64Array.of(signal.read(counts))
    case 'histogram':
    case 'mean':
      return Float64Array.from(signal.read(counts))
  }
}
