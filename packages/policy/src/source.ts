import * as z from 'zod'
import { measurePatterns } from './measures.ts'

/** A policy as its author writes it in YAML: the published JSON Schema (schemas/policy.schema.json) is made from this. */

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .meta({ description: 'Lower-case letters, digits and "-".', examples: ['flight-delay'] })
const duration = z
  .string()
  .regex(measurePatterns.duration)
  .meta({ description: 'A time: a number and ms, s, m, h or d.', examples: ['5s', '2m', '24h'] })
const percent = z
  .string()
  .regex(measurePatterns.percent)
  .meta({ description: 'A percentage.', examples: ['5%', '0.5%'] })
const budget = z
  .union([z.string().regex(measurePatterns.rolloutBudget), z.string().regex(measurePatterns.yearBudget)])
  .meta({
    description: 'How often it may be wrong: of so many healthy rollouts, or in so much healthy time.',
    examples: ['1 in 1000 rollouts', '1 false alarm in 90 days', '1 a year'],
  })
const phrase = (most: number) => z.string().min(2).max(most)
const actionWords = [
  'watch',
  'hold',
  'halt',
  'ramp down',
  'ramp-down',
  'roll back',
  'roll-back',
  'fall back',
  'fall-back',
] as const
const rows = z.int().min(0).max(1_000_000_000)

const stage = z
  .strictObject({
    share: z.union([z.literal('shadow'), percent]).meta({
      description: 'How much traffic the new version answers; "shadow": it sees a copy and answers nobody.',
      examples: ['shadow', '5%'],
    }),
    name: name.optional().meta({ description: 'Its name; by default made of the share.' }),
    rows: rows
      .optional()
      .meta({ description: 'Fewest predictions of the new version before it may move on.', examples: [2000] }),
    'at-least': duration.optional().meta({ description: 'Shortest time in the stage.', examples: ['30m'] }),
    'at-most': duration
      .optional()
      .meta({ description: 'Without proof of safety for so long, it holds and asks a person.', examples: ['24h'] }),
  })
  .meta({ description: 'One step of a rollout.' })

const guardrail = z
  .strictObject({
    signal: z
      .string()
      .min(1)
      .max(2_048)
      .meta({
        description:
          'What is counted: errors, duplicates, missing(f), unseen(f), invalid(f), latency-over(p50|p90|p99), distribution(f), distribution(latency), mean(f), mean(score), mean(latency), predictions or volume. Several names in the brackets make one rule each.',
        examples: ['errors', 'distribution(distance, origin)', 'latency-over(p99)'],
      }),
    against: z.enum(['stable', 'baseline', 'history']).meta({
      description:
        'What it is held against: the stable version at the same time, the training baseline, or the own past.',
    }),
    tolerate: z
      .union([percent, z.number().min(0).max(100)])
      .optional()
      .meta({
        description:
          'What is accepted as harmless. Rates: how much more than the stable version. Distributions: a distance from 0 (equal) upwards. Means: a part of the range. Volume: a part of the usual rows, too many or too few; without it only silence counts.',
        examples: ['20%', 0.05],
      }),
    safe: z
      .union([percent, z.number().min(0).max(100)])
      .optional()
      .meta({
        description: 'Gates: the new version must show that it is less than so much worse.',
        examples: ['50%'],
      }),
    absolute: percent
      .optional()
      .meta({ description: 'Gates: a rate that is safe whatever the stable version does.', examples: ['1%'] }),
    budget: budget
      .optional()
      .meta({ description: 'How often this rule may act by mistake; by default that of "budgets".' }),
    role: z.enum(['gate', 'guard']).optional().meta({
      description: 'gate: must be shown to be safe before more traffic. guard (the default): must not be breached.',
    }),
    action: z.enum(actionWords).meta({ description: 'What is done on a breach.' }),
    protects: phrase(120).meta({
      description: 'Whom or what it protects, in plain words.',
      examples: ['travellers who get no answer'],
    }),
    by: z
      .array(z.string().min(1).max(80))
      .min(1)
      .max(8)
      .optional()
      .meta({
        description: 'Slices to look into besides the whole: "producer", "segment:<name>".',
        examples: [['segment:airport', 'producer']],
      }),
    rows: rows.optional().meta({ description: 'Fewest predictions before the rule may speak.', examples: [200] }),
  })
  .meta({ description: 'A rule.' })

const calledSource = z.strictObject({ name: phrase(40), unit: phrase(16).optional() })

const wordsSource = z.strictObject({
  rows: phrase(24)
    .optional()
    .meta({ description: 'What the model answers about, in the plural.', examples: ['flights'] }),
  features: z
    .record(z.string().min(1).max(128), calledSource)
    .optional()
    .meta({ description: 'What people call the features, and their units.' }),
})

const timesSource = z.strictObject({
  pane: duration.optional().meta({ description: 'Length of one count; by default 10 s.' }),
  lateness: duration.optional().meta({ description: 'How long an event may be under way; by default 10 s.' }),
  stall: duration
    .optional()
    .meta({ description: 'After so long a silent source no longer holds the others up; by default 15 s.' }),
})

const budgetsSource = z.strictObject({
  rollouts: budget
    .optional()
    .meta({ description: 'Of so many healthy rollouts one may be stopped; by default 1 in 1000 rollouts.' }),
  watching: budget.optional().meta({ description: 'False alarms in healthy time; by default 1 in 90 days.' }),
})

const brakesSource = z.strictObject({
  'rollbacks-an-hour': z.int().min(1).max(100).optional(),
  'share-of-fleet': percent.optional(),
  within: duration.optional(),
})

const lossSource = z.strictObject({ after: duration, action: z.enum(['hold', 'halt', 'roll back', 'roll-back']) })

/** What an exception may make looser for a time. */
const loosenSource = guardrail
  .pick({ tolerate: true, safe: true, absolute: true, action: true, rows: true, by: true })
  .partial()

const exceptionSource = z.strictObject({
  guardrail: name.meta({ description: 'The rule that is looser for a time.' }),
  until: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .meta({
      description: 'From the beginning of this day (UTC) on the strict rule holds again; at most 90 days ahead.',
      examples: ['2026-12-01'],
    }),
  reason: z.string().min(10).max(240).meta({ description: 'Why, for those who approve it.' }),
  loosen: loosenSource.meta({ description: 'Keys of the rule as they are meanwhile.' }),
})

export const policySource = z
  .strictObject({
    policy: name.meta({
      description: 'Name of the policy, usually that of the deployment.',
      examples: ['flight-delay'],
    }),
    extends: z
      .array(z.string().min(1).max(240))
      .min(1)
      .max(4)
      .optional()
      .meta({
        description: 'Policies whose rules hold here too, the widest first. This one may only be stricter.',
        examples: [['../organisation.policy.yaml', '../team.policy.yaml']],
      }),
    class: z.enum(['low', 'medium', 'high', 'critical']).meta({ description: 'How much harm a wrong answer can do.' }),
    words: wordsSource.optional().meta({ description: 'Names for plain sentences.' }),
    times: timesSource.optional().meta({ description: 'Rhythm of the watch.' }),
    stages: z.array(stage).min(1).max(20).meta({ description: 'The steps of a rollout, the last at 100%.' }),
    budgets: budgetsSource
      .optional()
      .meta({ description: 'How often the rules together may be wrong, for each action.' }),
    guardrails: z
      .record(name, guardrail)
      .meta({ description: 'The rules by name. Those with one action share one budget.' }),
    'no-data': duration.optional().meta({
      description: 'After so long without data it counts as not watched and promotion freezes.',
      examples: ['30s'],
    }),
    'loss-of-guardrail': z
      .array(lossSource)
      .min(1)
      .max(4)
      .optional()
      .meta({ description: 'What the agent does by itself when it no longer hears from Interlock.' }),
    grant: duration
      .optional()
      .meta({ description: 'How long an agent may go on without a sign of life; by default 30 s.' }),
    brakes: brakesSource.optional().meta({
      description:
        'Limits on the machine itself: rollbacks of one deployment an hour, share of all deployments at once.',
    }),
    exceptions: z.array(exceptionSource).max(20).optional().meta({ description: 'Rules that are looser for a time.' }),
    blind: z.record(name, z.string().min(10).max(240)).optional().meta({
      description:
        'Rules that may start a rollout although they see nothing in one of its stages, each with the reason.',
    }),
  })
  .meta({
    title: 'Interlock policy',
    description: 'Rules under which a new version may take over, and when it is stopped.',
  })

/** What others extend: a policy of which only the name must be given. Exceptions are for the one that serves. */
export const layerSource = z.strictObject({
  ...policySource.omit({ extends: true, exceptions: true, blind: true }).partial().shape,
  policy: name,
  guardrails: z.record(name, guardrail.partial()).optional(),
})

/** A policy that extends others: what they say it need not. Checked before it is laid over them. */
export const extendingSource = z.strictObject({
  ...policySource.partial().shape,
  policy: name,
  guardrails: z.record(name, guardrail.partial()).optional(),
})

export type PolicySource = z.infer<typeof policySource>
export type GuardrailSource = z.infer<typeof guardrail>
export type StageSource = z.infer<typeof stage>

/** Keys that may stand at a place; names of rules and features, and indexes, as "*". */
export const keysAt: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(policySource.shape),
  words: Object.keys(wordsSource.shape),
  'words.features.*': Object.keys(calledSource.shape),
  times: Object.keys(timesSource.shape),
  'stages.*': Object.keys(stage.shape),
  budgets: Object.keys(budgetsSource.shape),
  'guardrails.*': Object.keys(guardrail.shape),
  'loss-of-guardrail.*': Object.keys(lossSource.shape),
  brakes: Object.keys(brakesSource.shape),
  'exceptions.*': Object.keys(exceptionSource.shape),
  'exceptions.*.loosen': Object.keys(loosenSource.shape),
}

/** The published JSON Schema (draft 2020-12) of a policy file. */
export function policyJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    $id: 'urn:interlock:schema:policy:1',
    ...z.toJSONSchema(policySource, { io: 'input' }),
  }
}
