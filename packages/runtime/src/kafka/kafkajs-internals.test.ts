import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { internalFiles } from './kafkajs-internals.ts'

/** Of KafkaJS 2.2.4. A change here means: read what changed, run test/kafka, and only then write the new hash. */
const pinned = 'a14f74dccbd81307a20dc2bcbf203a450ae04605bc4cae8d0d71ef8402041d9d'

test('the inner modules of KafkaJS that the adapter stands on are the ones it was made for', () => {
  const root = dirname(createRequire(import.meta.url).resolve('kafkajs/package.json'))
  const hash = createHash('sha256')
  for (const file of internalFiles)
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, 'src', file)))
  expect(hash.digest('hex'), 'KafkaJS is another than 2.2.4').toBe(pinned)
})
