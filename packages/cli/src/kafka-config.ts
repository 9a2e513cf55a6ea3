import { z } from 'zod'

const password = { username: z.string(), passwordEnv: z.string().describe('environment variable of the password') }

/** Section `kafka` of interlock.yaml: where Interlock runs as several processes. */
export const kafkaSection = z
  .strictObject({
    brokers: z
      .array(z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i, 'write host:port'))
      .min(1)
      .describe('host:port of some brokers; any that answers tells of the others'),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9._-]{0,100}$/, 'use letters, digits, dot, dash and underscore')
      .default('interlock.')
      .describe('before the names of Interlock’s own topics and groups; your topics keep their names'),
    clientId: z.string().default('interlock').describe('names the processes in the brokers’ logs and quotas'),
    ssl: z
      .union([z.boolean(), z.strictObject({ caFile: z.string(), certFile: z.string(), keyFile: z.string() }).partial()])
      .default(false)
      .describe('true: TLS by the certificates of the system; or PEM files, relative to this file'),
    sasl: z
      .discriminatedUnion('mechanism', [
        z.strictObject({ mechanism: z.literal('plain'), ...password }),
        z.strictObject({ mechanism: z.literal('scram-sha-256'), ...password }),
        z.strictObject({ mechanism: z.literal('scram-sha-512'), ...password }),
      ])
      .optional(),
    replication: z
      .strictObject({ factor: z.int().min(1).max(32_767), minInSync: z.int().min(1) })
      .refine(({ factor, minInSync }) => minInSync <= factor, 'minInSync is at most factor')
      .optional()
      .describe('of the topics that are made; default: three copies, two in sync, or as many as there are brokers'),
    shards: z
      .strictObject({
        profiler: z.int().min(1).max(1_000).optional().describe('default: partitions of the largest event topic'),
        deployments: z.int().min(1).max(1_000).default(64).describe('of what is sharded by deployment'),
      })
      .prefault({})
      .describe('fixed when the topics are made'),
  })
  .describe('a Kafka cluster, for `interlock run`; without it everything is embedded in one process')
export type KafkaSection = z.infer<typeof kafkaSection>
