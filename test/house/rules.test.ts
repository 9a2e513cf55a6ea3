import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))
const text = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Code without comments and string contents is not parsed here: a word in a comment is cut away line by line. */
function code(file: string): readonly (readonly [line: number, text: string])[] {
  return text(file)
    .split('\n')
    .map((line, index) => [index + 1, line] as const)
    .filter(([, line]) => !/^\s*(\*|\/\/|\/\*)/.test(line))
}
function offences(list: readonly string[], pattern: RegExp): string[] {
  return list.flatMap((file) =>
    code(file)
      .filter(([, line]) => pattern.test(line))
      .map(([line, what]) => `${file}:${line} ${what.trim()}`),
  )
}

const isTest = /\.(test|bench)\.tsx?$|\/conformance[^/]*\.ts$|\/testing\//
const source = files.filter((file) => /\.tsx?$/.test(file) && !isTest.test(file) && !file.includes('/generated/'))
const pure = source.filter(
  (file) =>
    (/^packages\/(contracts|columns|statistics|policy|deployment|ledger)\/src\//.test(file) &&
      !/\/generate[^/]*\.ts$/.test(file)) ||
    /^services\/.*\/processor\.ts$/.test(file),
)

test('pure code knows no clock, no randomness and no environment', () => {
  expect(pure.length).toBeGreaterThan(10)
  expect(
    offences(
      pure,
      /\bDate\.now\b|new Date\(\)|Math\.random|performance\.now|process\.(env|argv|hrtime)|crypto\.random|randomBytes|randomUUID/,
    ),
  ).toEqual([])
})

test('pure code uses our own elementary functions, whose last bits never change', () => {
  expect(
    offences(
      pure,
      /Math\.(log|log2|log10|log1p|exp|expm1|pow|sin|cos|tan|sinh|cosh|tanh|cbrt|hypot)\b|\*\*\s*[a-zA-Z(]/,
    ),
  ).toEqual([])
})

test('no test is switched off or singled out, and no type is switched off', () => {
  const all = files.filter((file) => /\.tsx?$/.test(file) && file !== 'test/house/rules.test.ts')
  expect(offences(all, new RegExp(`\\b(it|test|describe)\\.${'(only|skip|todo|fails)'}\\(`))).toEqual([])
  expect(offences(all, new RegExp(`@ts-${'(ignore|expect-error|nocheck)'}|\\bas any\\b|: any\\b`))).toEqual([])
})

test('folders and files are named after what they hold', () => {
  expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\.ts|\/)/.test(file))).toEqual([])
  expect(
    source.filter(
      (file) =>
        !/(^|\/)(\.[a-z-]+\/)?[a-z0-9]+(-[a-z0-9]+)*(\.(vectors|config|d))?\.tsx?$/.test(file) && !/web\//.test(file),
    ),
  ).toEqual([])
})

test('a source file holds one thing: none is longer than 450 lines', () => {
  expect(source.filter((file) => text(file).split('\n').length > 450)).toEqual([])
})

test('packages export by name', () => {
  expect(
    offences(
      source.filter((file) => file.endsWith('/index.ts')),
      /export \*/,
    ),
  ).toEqual([])
})

test('no file names a path of one machine or a secret', () => {
  const readable = files.filter(
    (file) => /\.(ts|tsx|md|json|ya?ml|avsc|css|html|sh)$/.test(file) && file !== 'pnpm-lock.yaml',
  )
  const paths = readable.filter((file) => /(^|[\s"'`(=])\/(work|home|root|Users)\//m.test(text(file)))
  expect(paths).toEqual([])
  expect(
    readable.filter((file) => /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\n[A-Za-z0-9+/=]{20}/.test(text(file))),
  ).toEqual([])
})
