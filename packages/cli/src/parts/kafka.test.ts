import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventLog } from '@interlock/runtime'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { enlargedTopicsPart, kafkaConnection, kafkaOf } from './kafka.ts'
import type { Wiring } from './wiring.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})
function configWith(kafka: string, environment: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-kafka-config-'))
  folders.push(folder)
  const file = join(folder, 'interlock.yaml')
  writeFileSync(file, kafka)
  return loadConfig(file, environment)
}

test('the section needs brokers only; what is missing or wrong is said at its place', () => {
  expect(kafkaOf(configWith('kafka: { brokers: ["k-1:9092"] }'))).toMatchObject({
    brokers: ['k-1:9092'],
    prefix: 'interlock.',
    ssl: false,
    shards: { deployments: 64 },
  })
  expect(() => kafkaOf(configWith('environment: x'))).toThrow(/has no section `kafka`.*interlock up/)
  expect(() => configWith('kafka: { brokers: ["k-1"] }')).toThrow(/interlock\.yaml:1:\d+ .*write host:port/)
  expect(() => configWith('kafka:\n  brokers: ["k:1"]\n  shards: { deployments: 0 }')).toThrow(/:3:\d+ .*deployments/)
  expect(() => configWith('kafka: { brokers: ["k:1"], replication: { factor: 1, minInSync: 2 } }')).toThrow(
    /minInSync is at most factor/,
  )
})

test('a password comes from the environment, and a service is named to the brokers', () => {
  const sasl = 'sasl: { mechanism: scram-sha-256, username: u, passwordEnv: INTERLOCK_TEST_PASSWORD }'
  const config = configWith(`kafka: { brokers: ["k:1"], ${sasl} }`)
  expect(() => kafkaConnection(config, 'agent')).toThrow(/INTERLOCK_TEST_PASSWORD is not set/)
  process.env.INTERLOCK_TEST_PASSWORD = 'p'
  try {
    expect(kafkaConnection(config, 'agent')).toMatchObject({
      clientId: 'interlock-agent',
      sasl: { mechanism: 'scram-sha-256', username: 'u', password: 'p' },
    })
  } finally {
    delete process.env.INTERLOCK_TEST_PASSWORD
  }
})

test('a file of ssl that cannot be read is named', () => {
  const config = configWith('kafka: { brokers: ["k:1"], ssl: { caFile: ca.pem } }')
  expect(() => kafkaConnection(config, 'agent')).toThrow(/ca\.pem: cannot be read .*kafka\.ssl names it/)
})

test('a process that reads events ends when their topic was enlarged, and not because a broker is away', async () => {
  const answers = [4, new Error('away'), 4, 6]
  let looks = 0
  const wiring = {
    clock: { sleep: async () => undefined },
    logger: pino({ level: 'silent' }),
    eventPartitions: new Map([['scoring', 4]]),
    log: {
      partitions: async () => {
        const answer = answers[looks++]
        if (typeof answer !== 'number') throw answer
        return answer
      },
    } as unknown as EventLog,
  } as unknown as Wiring
  await expect(enlargedTopicsPart(wiring)(new AbortController().signal)).rejects.toThrow(
    /"scoring" has 6 partitions by now, and this process reads 4/,
  )
  expect(looks).toBe(4)
})
