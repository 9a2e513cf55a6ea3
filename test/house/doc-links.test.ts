import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))
const text = (file: string): string => readFileSync(join(root, file), 'utf8')

/** A page as code cites it: titles of headings, leads set in bold, numbers of its sections, and its whole text. */
interface Page {
  readonly titles: ReadonlySet<string>
  readonly numbers: ReadonlySet<string>
  readonly anchors: ReadonlySet<string>
  readonly body: string
}

const pages = new Map<string, Page>()
function pageOf(file: string): Page {
  const known = pages.get(file)
  if (known !== undefined) return known
  const body = text(file).replace(/^```[\s\S]*?^```$/gm, '')
  const headings = [...body.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => heading!)
  const bold = [...body.matchAll(/\*\*([^*]+)\*\*/g)].map(([, lead]) => lead!)
  const page = {
    titles: new Set([...headings.map((heading) => heading.replace(/^[\d.]+ /, '')), ...bold].map(plain)),
    numbers: new Set(headings.flatMap((heading) => /^(\d+(?:\.\d+)*)\.? /.exec(heading)?.[1] ?? [])),
    anchors: new Set(headings.map(anchorOf)),
    body,
  }
  pages.set(file, page)
  return page
}

/** "`words`." and "Words" are one title. A heading of several keys has each of them. */
const plain = (title: string): string => title.replaceAll('`', '').replace(/[.:]$/, '').trim().toLowerCase()

/** As GitHub makes them. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-')

/** What stands behind a page's name: sections by number or title, faults and invariants by their code. */
const citation = /docs\/([\w/-]+\.md)((?:,? (?:and )?(?:§\d+(?:\.\d+)*|"[^"\n]+"|invariant S\d+|F\d+\b))*)/g

function problemsOf(file: string): string[] {
  // A comment that runs over lines is one text.
  const joined = text(file).replace(/\s*\n\s*(?:\*|\/\/) ?/g, ' ')
  return [...joined.matchAll(citation)].flatMap(([whole, name, cited = '']) => {
    const page = `docs/${name}`
    if (!existsSync(join(root, page))) return [`${file}: ${page} does not exist`]
    const { titles, numbers, body } = pageOf(page)
    const missing = [
      ...[...cited.matchAll(/§(\d+(?:\.\d+)*)/g)].filter(([, number]) => !numbers.has(number!)),
      ...[...cited.matchAll(/"([^"]+)"/g)].filter(([, title]) => !titles.has(plain(title!))),
      ...[...cited.matchAll(/\b([SF]\d+)\b/g)].filter(([, code]) => !new RegExp(`\\b${code}\\b`).test(body)),
    ]
    return missing.map(([what]) => `${file}: "${whole}", but ${page} has no ${what}`)
  })
}

const readers = files.filter(
  (file) =>
    /^(packages|services|examples|test|schemas|deploy)\//.test(file) &&
    /\.(tsx?|css|md|ya?ml)$/.test(file) &&
    file !== 'test/house/doc-links.test.ts',
)

test('every page and section of docs/ that code cites exists', () => {
  expect(readers.filter((file) => text(file).includes('docs/')).length).toBeGreaterThan(20)
  expect(readers.flatMap(problemsOf)).toEqual([])
})

test('code cites pages of this repository only, by their path', () => {
  const bare =
    /(?<![\w/.-])(?:reliability|statistics|decisions|architecture|console|operations|performance|kafka|style|requirements|ecosystem)\.md/
  expect(readers.filter((file) => bare.test(text(file)))).toEqual([])
})

const documents = files.filter((file) => /^(README\.md|schemas\/README\.md|docs\/.*\.md)$/.test(file))

test('every relative link of the documentation leads to a file, and its anchor to a heading', () => {
  expect(documents.length).toBeGreaterThan(10)
  const broken = documents.flatMap((file) =>
    [...text(file).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => {
      if (/^[a-z]+:/.test(link!)) return []
      const [path = '', anchor] = link!.split('#')
      const target = path === '' ? file : join(dirname(file), path)
      if (!existsSync(join(root, target))) return [`${file}: ${link} leads nowhere`]
      if (anchor === undefined || statSync(join(root, target)).isDirectory()) return []
      return pageOf(target).anchors.has(anchor) ? [] : [`${file}: ${link}: no such heading`]
    }),
  )
  expect(broken).toEqual([])
})
