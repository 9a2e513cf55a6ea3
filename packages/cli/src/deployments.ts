import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { DeploymentDocument } from '@interlock/contracts'
import { topics as defaultTopics, deploymentIdPattern, isOwnTopic, isProbe } from '@interlock/contracts'
import { z } from 'zod'
import { type Config, ownFields, ownTopics } from './config.ts'
import { problemsIn, readYaml, type YamlFile } from './yaml-file.ts'

const person = z.string().min(1)

/** deployments/<name>.yaml: who answers for a deployment and where its events come from. */
export const deploymentSchema = z.strictObject({
  deployment: z
    .string()
    .regex(deploymentIdPattern, 'use lower-case letters, digits and dashes, at most 63')
    .refine((name) => !isProbe(name), 'this is the name of the synthetic deployment; choose another'),
  owner: person.describe('who owns the model'),
  onCall: person.describe('who is paged'),
  approver: person.describe('who answers for what goes live; not the author of the change'),
  riskClass: z.enum(['low', 'medium', 'high', 'critical']),
  stable: z
    .string()
    .regex(/^[^@\s]+@[^@\s]+$/, 'a version reads <model>@<version>')
    .describe('version that serves now'),
  topics: ownTopics.default({}).describe('its topics; else those of interlock.yaml, else "predictions"'),
  mapping: ownFields.default({}).describe('our field name: yours, dotted; added to that of interlock.yaml'),
  segments: z.array(z.string()).default([]).describe('segment dimensions that are watched'),
  /** Files of the version that serves now, relative to this file. */
  manifest: z.string().describe('manifest.json of the stable version'),
  baseline: z.string().describe('baseline.json of the stable version (interlock baseline build)'),
  policy: z.string().describe('policy.yaml'),
  weight: z.number().positive().default(1).describe('its part of the fleet’s budget, beside the others’'),
  rolloutsPerYear: z.number().positive().optional().describe('how many are planned; default: that of the fleet'),
})

export interface DeploymentFile {
  readonly file: string
  readonly document: DeploymentDocument
  readonly manifest: string
  readonly baseline: string
  readonly policy: string
  /** What it asks of the fleet's budget of false actions. */
  readonly claim: { readonly weight: number; readonly rolloutsPerYear: number | undefined }
  /** A mistake at the place of a key of the file. */
  problem: YamlFile['problem']
}

/** Reads every deployments/*.yaml; policies that lie beside them are not theirs. @throws UsageError with file, line, reason and remedy. */
export function readDeployments(config: Config): readonly DeploymentFile[] {
  if (!existsSync(config.deployments)) return []
  const files = readdirSync(config.deployments).filter((name) => /\.ya?ml$/.test(name))
  return files.toSorted().flatMap((name) => readDeployment(join(config.deployments, name), config))
}

function readDeployment(file: string, config: Config): readonly DeploymentFile[] {
  const yaml = readYaml(file, file, 'schemas/deployment.schema.json')
  if ('guardrails' in yaml.value) return []
  const parsed = deploymentSchema.safeParse(yaml.value)
  if (!parsed.success) throw problemsIn(yaml, parsed.error)
  const { topics: own, mapping, manifest, baseline, policy, weight, rolloutsPerYear, ...rest } = parsed.data
  const topics = { ...config.topics, ...own }
  const platform = config.platforms[rest.deployment]
  if (platform === undefined) {
    throw yaml.problem(
      ['deployment'],
      `no platform is configured for "${rest.deployment}". Add platforms.${rest.deployment} to interlock.yaml: without one nothing can be rolled back`,
    )
  }
  for (const [what, topic] of Object.entries(topics)) {
    if (topic === undefined || !isOwnName(topic, config)) continue
    // Whoever may send events could pose as Interlock there.
    throw yaml.problem(
      ['topics', what],
      `topics.${what}: "${topic}" is a topic of Interlock itself, and events have topics of their own: choose another name`,
    )
  }
  const at = (path: string): string => resolve(config.deployments, path)
  const found: DeploymentFile = {
    file,
    problem: yaml.problem,
    manifest: at(manifest),
    baseline: at(baseline),
    policy: at(policy),
    claim: { weight, rolloutsPerYear },
    document: {
      kind: 'deployment',
      ...branded(rest),
      environment: config.environment,
      tenant: config.tenant,
      topics: {
        predictions: topics.predictions ?? defaultTopics.predictions,
        ...(topics.features === undefined ? {} : { features: topics.features }),
        ...(topics.outcomes === undefined ? {} : { outcomes: topics.outcomes }),
      },
      mapping: { ...config.mapping, ...mapping },
      platform: { kind: platform.kind, agent: `agent-${config.environment}` },
    },
  }
  return [found]
}

/** With the prefix, too: then it is the name that a topic of ours has on the brokers. */
function isOwnName(topic: string, { kafka }: Config): boolean {
  const prefix = kafka?.prefix ?? ''
  return isOwnTopic(topic) || (topic.startsWith(prefix) && isOwnTopic(topic.slice(prefix.length)))
}

/** Ids that the schema has checked, as the types that carry that promise. */
function branded<T extends { deployment: string; owner: string; onCall: string; approver: string; stable: string }>(
  value: T,
) {
  return value as Omit<T, 'deployment' | 'owner' | 'onCall' | 'approver' | 'stable'> &
    Pick<DeploymentDocument, 'deployment' | 'owner' | 'onCall' | 'approver' | 'stable'>
}
