import * as z from 'zod'

/** A file of policy tests as its author writes it. Durations and percentages are those of a policy. */

const name = z.string().min(3).max(160)
const duration = z.string()
const percent = z.string()
const count = z.int().min(0)
const counts = z.union([
  z.strictObject({ rows: count, events: count.optional() }),
  z.strictObject({ bins: z.union([z.array(count).min(2), z.record(z.string(), count)]) }),
])

const measurement = z.strictObject({
  name,
  rule: z.string(),
  panes: z.int().min(1).max(100_000),
  now: counts,
  stable: counts.optional(),
  verdict: z.enum(['pass', 'watch', 'breach', 'inconclusive', 'no-data']),
})

const expected = z.strictObject({
  'caught-within': duration.optional(),
  'stopped-within': duration.optional(),
  by: z.string().optional(),
  'answers-at-most': count.optional(),
  'units-at-most': count.optional(),
  'not-stopped': z.literal(true).optional(),
  promoted: z.literal(true).optional(),
})

const scenario = z.strictObject({
  name,
  fault: z.string().optional(),
  size: z.number().optional(),
  part: percent.optional(),
  where: z.enum(['candidate', 'both', 'producer']).optional(),
  feature: z.string().optional(),
  category: z.string().optional(),
  producer: z.string().optional(),
  stage: z.string().optional(),
  after: duration.optional(),
  for: duration.optional(),
  seed: z.int().optional(),
  expect: expected,
})

export const suiteSource = z.strictObject({
  policy: z.string().min(1),
  baseline: z.string().min(1).optional(),
  'candidate-baseline': z.string().min(1).optional(),
  traffic: z
    .strictObject({
      from: z.string().min(1).optional(),
      'rows-an-hour': z.number().positive().optional(),
      errors: percent.optional(),
    })
    .optional(),
  seed: z.int().optional(),
  measurements: z.array(measurement).max(500).optional(),
  scenarios: z.array(scenario).max(200).optional(),
})
export type SuiteSource = z.infer<typeof suiteSource>
export type MeasurementSource = z.infer<typeof measurement>
export type ScenarioSource = z.infer<typeof scenario>
export type CountsSource = z.infer<typeof counts>

/** Keys by the place in the file, for "did you mean". */
export const keysAt: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(suiteSource.shape),
  traffic: ['from', 'rows-an-hour', 'errors'],
  'measurements.*': Object.keys(measurement.shape),
  'scenarios.*': Object.keys(scenario.shape),
  'scenarios.*.expect': Object.keys(expected.shape),
}
