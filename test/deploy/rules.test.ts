import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const text = (file: string): string => readFileSync(join(root, file), 'utf8')

test('alert rules name only metrics that the console writes', () => {
  const named = [...text('deploy/prometheus-rules.yaml').matchAll(/interlock_[a-z_]+/g)].map(([name]) => name)
  const written = new Set(
    [...text('services/console/src/metrics.ts').matchAll(/interlock_[a-z_]+/g)].map(([name]) => name),
  )
  expect(named.length).toBeGreaterThan(2)
  expect(named.filter((name) => !written.has(name))).toEqual([])
})
