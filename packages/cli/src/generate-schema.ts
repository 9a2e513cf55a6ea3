/**
 * Writes schemas/interlock.schema.json and schemas/deployment.schema.json, the published JSON Schemas of interlock.yaml and
 * of deployments/*.yaml.
 *
 *   node packages/cli/src/generate-schema.ts
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { configSchema } from './config.ts'
import { deploymentSchema } from './deployments.ts'

/** File name in schemas/ → the text that it should hold now. */
export function publishedSchemas(): ReadonlyMap<string, string> {
  const text = (schema: z.ZodType, title: string): string =>
    `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' }) }, null, 2)}\n`
  return new Map([
    ['interlock.schema.json', text(configSchema, 'interlock.yaml')],
    ['deployment.schema.json', text(deploymentSchema, 'deployments/*.yaml')],
  ])
}

export function schemaPath(name: string): string {
  return fileURLToPath(new URL(`../../../schemas/${name}`, import.meta.url))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of publishedSchemas()) writeFileSync(schemaPath(name), text)
}
