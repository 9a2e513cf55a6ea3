import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { check } from '@interlock/policy'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../../packages/cli/src/config.ts'
import { readDeployments } from '../../packages/cli/src/deployments.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'interlock-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('the files that the quickstart shows are taken as they stand', () => {
  const page = readFileSync(join(root, 'docs/quickstart.md'), 'utf8')
  const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block]) => block!)
  const blockOf = (start: string): string => blocks.find((block) => block.startsWith(start)) ?? 'not there: 1'
  mkdirSync(join(folder, 'deployments'))
  writeFileSync(join(folder, 'interlock.yaml'), blockOf('environment:'))
  writeFileSync(join(folder, 'deployments/fraud.yaml'), blockOf('deployment:'))
  const config = loadConfig(join(folder, 'interlock.yaml'), {})
  expect(readDeployments(config).map(({ document }) => document.deployment)).toEqual(['fraud'])
  expect(check(blockOf('policy:'), 'policy.yaml').problems).toEqual([])
})

test('the command line page has every command and every option', async () => {
  const page = readFileSync(join(root, 'docs/cli.md'), 'utf8')
  const main = join(root, 'packages/cli/src/main.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'help', 'all'])
  const commands = [...stdout.matchAll(/^interlock ([a-z]+(?: [a-z]+)*)/gm)].map(([, command]) => command!)
  expect(commands.length).toBeGreaterThan(10)
  expect(commands.filter((command) => !page.includes(`| \`${command}`))).toEqual([])
  const groups = globSync(join(root, 'packages/cli/src/program/*.ts'))
  const sources = [main, ...groups].map((file) => readFileSync(file, 'utf8')).join('\n')
  const options = [...sources.matchAll(/ption\('(--[a-z-]+)/g)].map(([, option]) => option!)
  expect(options.length).toBeGreaterThan(20)
  expect(options.filter((option) => !page.includes(option))).toEqual([])
})
