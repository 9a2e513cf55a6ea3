import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { publishedSchemas, schemaPath } from './generate-schema.ts'

test.each([...publishedSchemas()])('the published schemas/%s is what the code reads', (name, text) => {
  expect(readFileSync(schemaPath(name), 'utf8')).toBe(text)
})
