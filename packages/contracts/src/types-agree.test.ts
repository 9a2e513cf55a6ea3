import { expect, test } from 'vitest'
import type { Command } from './command.ts'
import type { Feature, Outcome, Prediction } from './event.ts'
import type * as avro from './generated/types.ts'
import type { Heartbeat } from './heartbeat.ts'
import type { Entry } from './log.ts'
import type { AnyOut } from './outs.ts'
import type { FactRecord, RequestRecord } from './request.ts'

/** A contract's type without its brands: what the schema can say of it. */
type Plain<T> = T extends Uint8Array
  ? Uint8Array
  : T extends string
    ? Unbranded<T>
    : T extends object
      ? { readonly [Key in keyof T]: Plain<T[Key]> }
      : T
type Unbranded<T extends string> = T extends { readonly __brand: string } ? string : T

type AvroOuts = {
  watch: avro.WatchOut
  counts: avro.CountsOut
  progress: avro.ProgressOut
  echo: avro.EchoOut
  'dead-letter': avro.DeadLetterOut
  replayed: avro.ReplayedOut
  evidence: avro.EvidenceOut
  lineage: avro.LineageOut
  served: avro.ServedOut
  provisional: avro.ProvisionalOut
  'ready-to-count': avro.ReadyToCountOut
  decision: avro.DecisionOut
  state: avro.StateOut
  command: avro.CommandOut
  alert: avro.AlertOut
  disagreement: avro.DisagreementOut
  brake: avro.BrakeOut
  leaf: avro.LeafOut
  checkpoint: avro.CheckpointOut
  pulse: avro.PulseOut
}

/** Compiles only when each side may stand for the other, and neither has a property that the other lacks. */
type Agree<Ours, Theirs> = [DeepRequired<Ours>, DeepRequired<Theirs>] extends [DeepRequired<Theirs>, DeepRequired<Ours>]
  ? [Ours, Theirs] extends [Theirs, Ours]
    ? true
    : ['optional in one only', Ours, Theirs]
  : ['differ', Ours, Theirs]
type DeepRequired<T> = T extends Uint8Array
  ? T
  : T extends object
    ? { readonly [Key in keyof T]-?: DeepRequired<Exclude<T[Key], undefined>> }
    : T

type OutsAgree = {
  [Kind in AnyOut['kind']]: Kind extends keyof AvroOuts
    ? Agree<Plain<Extract<AnyOut, { kind: Kind }>>, AvroOuts[Kind]>
    : ['schemas/outs has no', Kind]
}

test('schemas/ and the contracts declare the same fields, as the compiler sees them', () => {
  // Each line fails to compile where the two differ; the error names the types. Fix schemas/ and generate again.
  const outs: { [Kind in keyof OutsAgree]: true } = {} as OutsAgree
  const others: true[] = [
    true satisfies Agree<Plain<Entry>, avro.Entry>,
    true satisfies Agree<Plain<Command>, avro.Command>,
    true satisfies Agree<Plain<RequestRecord>, avro.RequestRecord>,
    true satisfies Agree<Plain<FactRecord>, avro.FactRecord>,
    true satisfies Agree<Plain<Heartbeat>, avro.Heartbeat>,
    true satisfies Agree<Plain<Omit<Prediction, 'variant' | 'status'>>, Omit<avro.Prediction, 'variant' | 'status'>>,
    true satisfies Agree<Plain<Feature>, avro.Feature>,
    true satisfies Agree<Plain<Outcome>, avro.Outcome>,
  ]
  expect(outs).toBeDefined()
  expect(others).not.toContain(false)
})
