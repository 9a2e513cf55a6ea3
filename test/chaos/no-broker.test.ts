import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freePort, interlock } from '../process/interlock.ts'

test('a service that is started while no broker answers says so in a sentence and ends with 3: its supervisor tries again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-away-'))
  await mkdir(join(folder, 'deployments'))
  const address = `127.0.0.1:${await freePort()}`
  const config = join(folder, 'interlock.yaml')
  await writeFile(config, `data: ./data\nkafka: { brokers: ["${address}"] }\n`)
  const { code, stdout, stderr } = await interlock(['run', 'evaluator', '--config', config], {
    env: { INTERLOCK_LOG: 'warn' },
  })
  expect(code).toBe(3)
  expect(stdout).toBe('')
  expect(stderr).toContain(`ECONNREFUSED ${address}`)
  expect(stderr).not.toMatch(/^\s+at /m)
  await rm(folder, { recursive: true })
})
