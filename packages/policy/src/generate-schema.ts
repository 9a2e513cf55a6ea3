/**
 * Writes schemas/policy.schema.json, the published JSON Schema of a policy file.
 *
 *   node packages/policy/src/generate-schema.ts
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { policyJsonSchema } from './source.ts'

export const schemaFile = fileURLToPath(new URL('../../../schemas/policy.schema.json', import.meta.url))

/** The file's text as it should be now. */
export function schemaText(): string {
  return `${JSON.stringify(policyJsonSchema(), null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(schemaFile, schemaText())
