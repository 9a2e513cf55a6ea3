import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeEvents } from '@interlock/contracts'
import { expect, test } from 'vitest'

/** The producers of schemas/README.md, run as a reader would copy them, with a client library that prints what it is given. */
const page = readFileSync(new URL('../../../schemas/README.md', import.meta.url), 'utf8')
const codeIn = (language: string): string => page.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!

function run(command: string, file: string, code: string, library: { file: string; code: string }): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'producer-'))
  try {
    writeFileSync(join(folder, file), code)
    writeFileSync(join(folder, library.file), library.code)
    const { error, stdout, stderr } = spawnSync(command, [join(folder, file)], { encoding: 'utf8', timeout: 20_000 })
    if (error && 'code' in error && error.code === 'ENOENT') return null
    if (error) throw error
    expect(stderr).toBe('')
    return JSON.parse(stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function expectEvent(sent: unknown): void {
  const { topic, type, value } = sent as { topic: string; type: string; value: string }
  expect(topic).toBe('predictions')
  const [event] = decodeEvents('prediction', type, Buffer.from(value))
  expect(event).toMatchObject({
    deployment: 'flight-delay',
    features: { distance: 1_846, origin: 'ORD' },
    tenant: 'default',
  })
}

test('the Python producer sends an event that we take', () => {
  const sent = run('python3', 'main.py', codeIn('python'), {
    file: 'confluent_kafka.py',
    code: [
      'import json',
      'class Producer:',
      '    def __init__(self, config): pass',
      '    def produce(self, topic, key, value, headers):',
      '        print(json.dumps({"topic": topic, "type": headers["content-type"], "value": value}))',
      '    def flush(self): pass',
    ].join('\n'),
  })
  if (sent === null) console.warn('NOT RUN: the Python producer of schemas/README.md (no python3 on this machine)')
  else expectEvent(sent)
})

test('the Node producer sends an event that we take', () => {
  const code = codeIn('js').replace("'kafkajs'", "'./kafkajs.mjs'")
  const sent = run(process.execPath, 'main.mjs', code, {
    file: 'kafkajs.mjs',
    code: `export class Kafka {
      producer() {
        const send = ({ topic, messages: [{ value, headers }] }) =>
          console.log(JSON.stringify({ topic, type: headers['content-type'], value }))
        return { connect() {}, send, disconnect() {} }
      }
    }`,
  })
  expectEvent(sent)
})
