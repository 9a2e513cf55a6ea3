import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { UsageError } from './errors.ts'
import { kafkaSection } from './kafka-config.ts'
import { livenessSections } from './liveness-config.ts'
import { emptyYaml, problemsIn, readYaml } from './yaml-file.ts'

const personId = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'use lower-case letters, digits, dot, dash')
const abilities = ['deployer', 'policy-author', 'policy-approver', 'release-approver', 'on-call'] as const

const platform = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('router'),
    url: z.url().describe('address of the router’s admin API'),
    tokenEnv: z.string().describe('environment variable that holds the admin token'),
  }),
  z.strictObject({
    kind: z.literal('http'),
    observeUrl: z.url(),
    readyUrl: z.url(),
    applyUrl: z.url(),
    tokenEnv: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('exec'),
    apply: z.array(z.string()).min(1).describe('program and arguments; gets the signed command on standard input'),
    observe: z.array(z.string()).min(1),
    ready: z.array(z.string()).min(1),
  }),
])
export type PlatformConfig = z.infer<typeof platform>

const isLoopback = (host: string): boolean => ['127.0.0.1', '::1', 'localhost'].includes(host)

/** Names of a team's own topics. */
export const ownTopics = z.strictObject({
  predictions: z.string().optional(),
  features: z.string().optional(),
  outcomes: z.string().optional(),
})
/** Names of a team's own fields: our field name → theirs, dotted. */
export const ownFields = z.record(z.string(), z.string())

/** interlock.yaml. The published JSON Schema (schemas/interlock.schema.json) is made from this. */
export const configSchema = z.strictObject({
  environment: z.string().default('local').describe('name that every event and command must carry'),
  tenant: z.string().default('local'),
  data: z.string().default('./.interlock').describe('folder of the log, the keys and the token; relative to this file'),
  keys: z.string().optional().describe('folder of the keys (default: keys in the data folder); relative to this file'),
  kafka: kafkaSection.optional(),
  registry: z
    .strictObject({
      url: z.url().describe('of a registry that speaks Confluent’s REST API, with its path where it has one'),
      username: z.string().optional(),
      passwordEnv: z.string().optional().describe('environment variable of the password'),
    })
    .refine(
      ({ username, passwordEnv }) => (username === undefined) === (passwordEnv === undefined),
      'name both or none',
    )
    .optional()
    .describe('schema registry of your Avro messages; without it the ids in them are those of schemas/registry.json'),
  listen: z
    .strictObject({ port: z.int().min(0).max(65_535).default(7070) })
    .prefault({})
    .describe('the page and the API; always on 127.0.0.1'),
  topics: ownTopics.default({}).describe('your topics, where a deployment names none of its own'),
  mapping: ownFields.default({}).describe('our field name: yours, dotted; a deployment may add to it'),
  deployments: z.string().default('./deployments').describe('folder of *.yaml files, one a deployment'),
  people: z
    .array(z.strictObject({ id: personId, may: z.array(z.enum(abilities)).min(1) }))
    .min(2, 'name at least two people: nobody approves their own change')
    .default([
      { id: 'author', may: ['deployer', 'policy-author', 'on-call'] },
      { id: 'approver', may: ['policy-approver', 'release-approver', 'on-call'] },
    ]),
  operator: personId.default('author').describe('whose key signs what is asked for on the local page'),
  platforms: z.record(z.string(), platform).default({}).describe('platform of each deployment, by its name'),
  agents: z
    .record(
      z.string(),
      z.strictObject({
        url: z.url().describe('address of the agent’s endpoint: https, or http to this machine'),
        caFile: z.string().optional().describe('only certificates of this authority are taken (PEM)'),
      }),
    )
    .default({})
    .describe('second path: where a stuck command goes straight to its agent, by the agent’s name'),
  agent: z
    .strictObject({
      listen: z
        .strictObject({
          host: z.string().default('127.0.0.1').describe('any other address needs certificateFile and keyFile'),
          port: z.int().min(0).max(65_535),
          certificateFile: z.string().optional().describe('PEM; relative to this file'),
          keyFile: z.string().optional().describe('PEM; relative to this file'),
          readTokenEnv: z
            .string()
            .optional()
            .describe('environment variable of the token for reading state and facts; off loopback they need one'),
        })
        .refine(
          ({ certificateFile, keyFile }) => (certificateFile === undefined) === (keyFile === undefined),
          'name both certificateFile and keyFile, or none',
        )
        .refine(
          ({ host, certificateFile }) => certificateFile !== undefined || isLoopback(host),
          'an address other than loopback needs certificateFile and keyFile',
        )
        .optional(),
    })
    .prefault({})
    .describe('our agent’s own endpoint: the receiving side of the second path'),
  fleet: z
    .strictObject({
      falseRollbacksPerYear: z
        .number()
        .positive()
        .describe('of all deployments together; ramp downs and fallbacks too'),
      falseHoldsPerYear: z.number().positive().describe('of all deployments together; halts too'),
      rolloutsPerYear: z.number().positive().default(50).describe('of a deployment that says nothing else'),
    })
    .optional()
    .describe('one budget of false actions for the fleet; a policy that may exceed its deployment’s part is refused'),
  ...livenessSections,
  notifier: z
    .strictObject({
      allowHosts: z.array(z.string()).default([]).describe('host:port that webhooks may call'),
      webhooks: z.array(z.strictObject({ url: z.url(), secretEnv: z.string() })).default([]),
    })
    .prefault({}),
})

const schema = 'schemas/interlock.schema.json'

/** The configuration with absolute paths. */
export type Config = z.infer<typeof configSchema> & {
  readonly file: string | null
  readonly keys: string
  /** Relative paths of the configuration begin here. */
  readonly base: string
}

/**
 * Reads interlock.yaml, or the defaults where there is none. Every key can be overridden by an environment variable
 * `INTERLOCK_<KEY>` (`INTERLOCK_DATA`, `INTERLOCK_LISTEN_PORT`).
 *
 * @throws UsageError with file, line, reason and remedy.
 */
export function loadConfig(path: string | undefined, environment: NodeJS.ProcessEnv = process.env): Config {
  const file = resolve(path ?? 'interlock.yaml')
  if (path !== undefined && !existsSync(file)) {
    throw new UsageError(
      `${path}: there is no such file. Leave --config out to use the defaults, or name another file.`,
    )
  }
  const exists = existsSync(file)
  const base = exists ? dirname(file) : process.cwd()
  const shown = path ?? 'interlock.yaml'
  const yaml = exists ? readYaml(file, shown, schema) : emptyYaml(shown, schema)
  const result = configSchema.safeParse(overridden(yaml.value, environment))
  if (!result.success) throw problemsIn(yaml, result.error)
  const config = result.data
  if (!config.people.some(({ id }) => id === config.operator)) {
    throw yaml.problem(
      ['operator'],
      `operator: "${config.operator}" is none of the people, who are ${config.people.map(({ id }) => id).join(', ')}`,
    )
  }
  return {
    ...config,
    file: exists ? file : null,
    base,
    data: resolve(base, config.data),
    keys: resolve(base, config.keys ?? join(config.data, 'keys')),
    deployments: resolve(base, config.deployments),
  }
}

function overridden(value: Record<string, unknown>, environment: NodeJS.ProcessEnv): unknown {
  const listen = { ...(value.listen as Record<string, unknown> | undefined) }
  const port = environment.INTERLOCK_LISTEN_PORT
  if (port !== undefined) {
    if (!/^\d{1,5}$/.test(port)) throw new UsageError(`INTERLOCK_LISTEN_PORT is "${port}": write a port, or unset it.`)
    listen.port = Number(port)
  }
  const simple = Object.fromEntries(
    (['environment', 'tenant', 'data', 'keys', 'deployments', 'operator'] as const).flatMap((key) => {
      const text = environment[`INTERLOCK_${key.toUpperCase()}`]
      return text === undefined ? [] : [[key, text]]
    }),
  )
  return { ...value, ...simple, listen }
}
