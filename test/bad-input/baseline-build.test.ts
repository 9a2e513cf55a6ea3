/**
 * `interlock baseline build`: one document for the same rows whatever file they come in, and a refusal with reason and
 * remedy for rows that cannot be a baseline.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BaselineDocument, contentHash, documentProblem } from '@interlock/contracts'
import { seededRandom } from '@interlock/runtime'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, interlock, type Ran } from '../process/interlock.ts'

interface Row {
  readonly day: string
  readonly x: number | null
  readonly trips: number
  readonly airport: string | null
  readonly answer: string
  readonly score: number
  readonly ms: number
  readonly channel: string
}
const columns = ['day', 'x', 'trips', 'airport', 'answer', 'score', 'ms', 'channel'] as const
let folder: string

function healthyRows(count: number, seed: number): Row[] {
  const random = seededRandom(seed)
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] as string
  return Array.from({ length: count }, (_, row) => ({
    day: `2026-03-0${1 + (row % 5)}`,
    x: random() < 0.02 ? null : random() * 100,
    trips: Math.floor(random() * 40),
    airport: random() < 0.02 ? null : pick(['AAA', 'BBB', 'CCC', 'DDD']),
    answer: random() < 0.3 ? 'yes' : 'no',
    score: random(),
    ms: 3 + random() * 20,
    channel: pick(['web', 'app']),
  }))
}

const csvOf = (rows: readonly Row[]): string =>
  [columns.join(','), ...rows.map((row) => columns.map((name) => row[name] ?? '').join(','))].join('\n')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-baseline-'))
  const rows = healthyRows(6_000, 11)
  const column = <Name extends keyof Row>(name: Name): Row[Name][] => rows.map((row) => row[name])
  await writeFile(join(folder, 'rows.csv'), csvOf(rows))
  await writeFile(
    join(folder, 'rows.arrow'),
    tableToIPC(tableFromArrays(Object.fromEntries(columns.map((name) => [name, column(name)]))), 'file'),
  )
  parquetWriteFile({
    filename: join(folder, 'rows.parquet'),
    columnData: columns.map((name) => ({
      name,
      data: name === 'trips' ? column('trips').map(BigInt) : column(name),
      type: name === 'trips' ? 'INT64' : ['x', 'score', 'ms'].includes(name) ? 'DOUBLE' : 'STRING',
      nullable: true,
    })),
  })
  await writeFile(join(folder, 'later.csv'), csvOf(healthyRows(5_000, 12).map((row) => ({ ...row, ms: row.ms * 2 }))))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const options = [
  ...['--numeric', 'x', 'trips', '--categorical', 'airport', '--prediction', 'answer', '--score', 'score'],
  ...['--latency', 'ms', '--producer', 'channel', '--segment', 'airport=airport', '--window', 'day'],
]
const build = (from: string, out: string, more: readonly string[] = options): Promise<Ran> =>
  interlock(['--json', 'baseline', 'build', '--version', 'toy@v1', '--from', from, '--out', out, ...more], {
    cwd: folder,
  })

async function built(name: string): Promise<BaselineDocument> {
  return JSON.parse(await readFile(join(folder, name), 'utf8')) as BaselineDocument
}

test('CSV, Parquet and Arrow files of the same rows give the same baseline', async () => {
  const made: BaselineDocument[] = []
  for (const kind of ['csv', 'parquet', 'arrow']) {
    const ran = await build(`rows.${kind}`, `${kind}.json`)
    expect([kind, ran.code, ran.stderr]).toEqual([kind, 0, ''])
    const document = await built(`${kind}.json`)
    expect(documentOf(ran)).toEqual({
      v: 1,
      file: `${kind}.json`,
      hash: contentHash(document),
      rows: 6_000,
      spec: document.specHash,
    })
    expect([kind, document.from, documentProblem(document)]).toEqual([kind, `rows.${kind}`, null])
    made.push({ ...document, from: '' })
  }
  const [csv, parquet, arrow] = made
  expect(parquet).toEqual(csv)
  expect(arrow).toEqual(csv)
  expect(csv?.spec.features.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    'airport categorical',
    'trips numeric',
    'x numeric',
  ])
})

test('with --like the bins of another baseline are taken over, without it they are its own', async () => {
  expect((await build('rows.csv', 'v1.json')).code).toBe(0)
  expect((await build('later.csv', 'like.json', [...options, '--like', 'v1.json'])).code).toBe(0)
  expect((await build('later.csv', 'own.json')).code).toBe(0)
  const [v1, like, own] = [await built('v1.json'), await built('like.json'), await built('own.json')]
  expect(like.specHash).toBe(v1.specHash)
  expect(like.spec).toEqual(v1.spec)
  expect(own.specHash).not.toBe(v1.specHash)
  expect([like.rows, own.rows]).toEqual([5_000, 5_000])
})

test('a file or call that cannot give a baseline is refused with the file, the reason and what to do', async () => {
  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content)
    return name
  }
  const parquet = await readFile(join(folder, 'rows.parquet'))
  const cases: readonly (readonly [what: string, from: string, more: readonly string[], code: number, says: RegExp])[] =
    [
      ['a file that is not there', 'none.csv', options, 2, /none\.csv.*ENOENT/],
      [
        'an ending that nobody reads',
        await file('rows.xlsx', 'x'),
        options,
        2,
        /rows\.xlsx: only \.parquet, \.csv and \.arrow/,
      ],
      [
        'a column that is not there',
        'rows.csv',
        [...options, '--numeric', 'y'],
        2,
        /rows\.csv: there is no column "y"; columns are day, x/,
      ],
      ['the same in Arrow', 'rows.arrow', [...options, '--numeric', 'y'], 2, /rows\.arrow: there is no column "y"/],
      ['the same in Parquet', 'rows.parquet', [...options, '--numeric', 'y'], 2, /rows\.parquet.*"?y"?/],
      ['no rows', await file('empty.csv', `${columns.join(',')}\n`), options, 2, /empty\.csv: holds no rows/],
      [
        'a CSV line with a cell too many',
        await file('ragged.csv', `${csvOf(healthyRows(3, 1))},9,9`),
        options,
        2,
        /ragged\.csv.*line 4/,
      ],
      [
        'a Parquet file cut in the middle',
        await file('cut.parquet', parquet.subarray(0, 500)),
        options,
        2,
        /cut\.parquet: cannot be read/,
      ],
      [
        'text that says it is Arrow',
        await file('text.arrow', 'hello, world: these are no rows'),
        options,
        2,
        /text\.arrow/,
      ],
      ['words where numbers are', 'rows.csv', [...options, '--numeric', 'channel'], 1, /rows\.csv: .*channel/],
      ['no latency', 'rows.csv', ['--numeric', 'x', '--prediction', 'answer'], 1, /rows\.csv: .*latency/],
      [
        'limits that fall',
        'rows.csv',
        ['--numeric', 'x', '--prediction', 'answer', '--latency-limits', '9,3,1'],
        2,
        /three rising milliseconds, such as/,
      ],
      ['a segment without its column', 'rows.csv', [...options, '--segment', 'airport'], 2, /write <name>=<column>/],
      [
        'no baseline to be like',
        'rows.csv',
        [...options, '--like', 'rows.csv'],
        2,
        /rows\.csv: cannot be read as a baseline/,
      ],
    ]
  for (const [what, from, more, code, says] of cases) {
    const ran = await build(from, 'refused.json', more)
    expect([what, ran.code, ran.stderr]).toEqual([what, code, expect.stringMatching(says)])
    expect([what, documentOf(ran)]).toEqual([what, { v: 1, error: expect.stringMatching(says) }])
    expect([what, ran.stderr]).toEqual([what, expect.not.stringMatching(/\n\s+at /)])
  }
  await expect(readFile(join(folder, 'refused.json'))).rejects.toThrow('ENOENT')
  const version = await interlock(['baseline', 'build', '--version', 'toy', '--from', 'rows.csv', ...options], {
    cwd: folder,
  })
  expect([version.code, version.stderr]).toEqual([
    2,
    expect.stringMatching(/--version "toy": a version reads <model>@<version>/),
  ])
})
