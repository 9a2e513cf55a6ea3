import {
  Columns,
  type Counter,
  counterOf,
  type EventKind,
  type TopicReader,
  topicReader,
  type Wanted,
  wantedOf,
} from '@interlock/columns'
import type { Hash, SchemaRegistry } from '@interlock/contracts'
import { type KnownSchema, withRegistered } from './registered.ts'
import type { ProfilerState } from './state.ts'
import { unnamedTenant, type Watched } from './watched.ts'

/** Everything that is made once from the watches in force and used for every batch. */
export interface Compiled {
  readonly wanted: Wanted
  readonly counters: ReadonlyMap<Hash, Counter>
  /** Watches by the deployment's code in the columns, oldest first. */
  readonly deployments: readonly (readonly Watched[])[]
  readerOf(topic: string): { readonly kind: EventKind; readonly reader: TopicReader }
}

export type Compiler = (watches: readonly Watched[], schemas: ProfilerState['schemas']) => Compiled

/** A function of watches and schemas alone; the last results are kept beside them, which changes no output. */
export function compiler(own: SchemaRegistry, kept?: readonly string[]): Compiler {
  const made = new WeakMap<readonly Watched[], WeakMap<SchemaRegistry, Compiled>>()
  const registries = new WeakMap<readonly KnownSchema[], SchemaRegistry>()
  const registryOf = (schemas: ProfilerState['schemas']): SchemaRegistry => {
    if (schemas === undefined) return own
    const known = registries.get(schemas) ?? withRegistered(own, schemas)
    registries.set(schemas, known)
    return known
  }
  return (watches, schemas) => {
    const registry = registryOf(schemas)
    const beside = made.get(watches) ?? new WeakMap<SchemaRegistry, Compiled>()
    made.set(watches, beside)
    const compiled = beside.get(registry) ?? compile(watches, registry, kept)
    beside.set(registry, compiled)
    return compiled
  }
}

function compile(watches: readonly Watched[], registry: SchemaRegistry, kept?: readonly string[]): Compiled {
  const specs = new Map(watches.map(({ specHash, spec }) => [specHash, spec]))
  const wanted = wantedOf({
    environments: watches.map(({ environment }) => environment),
    tenants: [unnamedTenant, ...watches.map(({ tenant }) => tenant)],
    deployments: watches.map(({ deployment }) => deployment),
    versions: watches.flatMap(({ versions }) => versions),
    specs: [...specs.values()],
    ...(kept === undefined ? {} : { kept }),
    ids: watches.some(({ ids }) => ids === true),
  })
  const shape = new Columns(wanted, 1)
  const readers = new Map<string, { kind: EventKind; reader: TopicReader }>()
  const open = (topic: string, kind: EventKind, mapping: Watched['mapping']) => {
    const reader = { kind, reader: topicReader(kind, mapping, registry, shape) }
    readers.set(topic, reader)
    return reader
  }
  for (const watch of watches) {
    // Later watches of a deployment replace earlier ones; those who share a topic have the same mapping.
    for (const [kind, topic] of Object.entries(watch.topics) as [EventKind, string][]) open(topic, kind, watch.mapping)
  }
  return {
    wanted,
    counters: new Map([...specs].map(([hash, spec]) => [hash, counterOf(spec, wanted)])),
    deployments: wanted.deployments.words.map((name) => watches.filter(({ deployment }) => deployment === name)),
    readerOf: (topic) => readers.get(topic) ?? open(topic, 'predictions', {}),
  }
}
