import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * Names this code: SHA-256 over every source file, so that two builds share a name only when they are the same code. A shard
 * that cannot reproduce its own entries under the same name stops (docs/reliability.md).
 */
export function build(): string {
  const root = resolve(import.meta.dirname, '../../..')
  const hash = createHash('sha256')
  for (const folder of ['packages', 'services']) {
    if (!existsSync(join(root, folder))) continue
    for (const file of globSync(`${folder}/*/src/**/*.ts`, { cwd: root, exclude: ['**/*.test.ts'] }).toSorted()) {
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(join(root, file)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}
