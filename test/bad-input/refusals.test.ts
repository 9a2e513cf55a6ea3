/**
 * What a team may write wrongly in its files: each is refused with file, place, reason and remedy, under the exit code that
 * docs/cli.md names, before anything was started or changed.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { documentOf, freePort, interlock, type Ran } from '../process/interlock.ts'
import { type SmallDeployment, writeDeployment } from '../process/small-deployment.ts'
import { registeredDeployment, type WatchedDeployment } from '../process/watched-deployment.ts'

let folder: string
let files: SmallDeployment
/** The folder of a team that wrote everything well. */
let team: string
let running: WatchedDeployment

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-refusals-'))
  team = join(folder, 'team')
  files = await writeDeployment(team, 'http://127.0.0.1:9', await freePort())
  running = await registeredDeployment()
}, 60_000)
afterAll(async () => {
  await running?.remove()
  await rm(folder, { recursive: true, force: true })
})

/** A copy of the folder in which one file reads otherwise. */
async function editedCopy(file: string, edit: (text: string) => string): Promise<string> {
  const copy = await mkdtemp(join(folder, 'copy-'))
  await cp(team, copy, { recursive: true })
  const before = await readFile(join(copy, file), 'utf8')
  const after = edit(before)
  expect([file, after === before]).toEqual([file, false])
  await writeFile(join(copy, file), after)
  return copy
}

const up = (cwd: string): Promise<Ran> =>
  interlock(['up', '--config', 'interlock.yaml'], { env: { TOY_TOKEN: 'x' }, cwd, withinMs: 20_000 })
const replace = (what: string | RegExp, by: string) => (text: string) => text.replace(what, by)

/** [what is wrong, file, edit, exit code, where and why, what to do] */
type Mistake = readonly [
  what: string,
  file: string,
  edit: (text: string) => string,
  code: number,
  reason: RegExp,
  remedy: RegExp,
]

async function expectRefusals(
  mistakes: readonly Mistake[],
  run: (cwd: string) => Promise<Ran> = up,
  on: 'stdout' | 'stderr' = 'stderr',
): Promise<void> {
  const waiting = [...mistakes]
  const next = async (): Promise<void> => {
    for (let mistake = waiting.shift(); mistake !== undefined; mistake = waiting.shift()) {
      const [what, file, edit, code, reason, remedy] = mistake
      const ran = await run(await editedCopy(file, edit))
      const silent = on === 'stdout' ? 'stderr' : 'stdout'
      expect([what, ran.code, ran[silent], ran[on]]).toEqual([what, code, '', expect.stringMatching(reason)])
      expect([what, ran[on]]).toEqual([what, expect.stringMatching(remedy)])
      expect([what, ran[on]]).toEqual([what, expect.not.stringMatching(/\n\s+at |undefined/)])
    }
  }
  // Two at a time: a process is mostly the start of Node.
  await Promise.all([next(), next()])
}

test('`up` refuses a wrong interlock.yaml with line, reason and remedy, exit 2', async () => {
  const config = 'interlock.yaml'
  const described = /schemas\/interlock\.schema\.json/
  await expectRefusals([
    ['a port that is none', config, replace(/port: \d+/, 'port: lots'), 2, /yaml:3:\d+ {2}listen\.port/, described],
    ['a key that is none', config, (text) => `${text}listn: 1\n`, 2, /yaml:5:1 {2}"listn" is no key/, described],
    ['no YAML', config, (text) => `${text}  data: { x\n`, 2, /yaml:\d+:\d+ {2}this is not YAML/, /Correct the line/],
    ['a key twice', config, (text) => `${text}data: ./other\n`, 2, /yaml:5:1 .*unique/, /Correct the line/],
    ['a list', config, () => '- 1\n', 2, /yaml:1:1 .*no keys and values/, described],
    ['an alias', config, (text) => `${text}people: &p [*p]\n`, 2, /yaml:5:\d+ .*alias/, /write the value itself/],
    [
      'one person alone',
      config,
      (text) => `${text}people: [{ id: solo, may: [deployer] }]\n`,
      2,
      /yaml:5:1 {2}people: name at least two people/,
      described,
    ],
    [
      'an unknown ability',
      config,
      (text) => `${text}people: [{ id: a, may: [rule] }, { id: b, may: [on-call] }]\n`,
      2,
      /yaml:5:\d+ {2}people\.0\.may\.0/,
      described,
    ],
    [
      'an operator whom nobody knows',
      config,
      (text) => `${text}operator: ghost\n`,
      2,
      /yaml:5:1 {2}operator: "ghost"/,
      /author, approver/,
    ],
    [
      'a platform that there is not',
      config,
      replace('kind: router', 'kind: pigeon'),
      2,
      /yaml:4:\d+ {2}platforms\.toy\.kind/,
      /router/,
    ],
    [
      'no platform',
      config,
      replace(/platforms:.*/, ''),
      2,
      /toy\.yaml:1:1 {2}no platform/,
      /Add platforms\.toy to interlock\.yaml/,
    ],
  ])
  const elsewhere = await interlock(['up', '--config', 'nowhere.yaml'], { cwd: team })
  expect([elsewhere.code, elsewhere.stderr]).toEqual([
    2,
    expect.stringMatching(/nowhere\.yaml: there is no such file.*name another/),
  ])
  const port = await interlock(['up'], { cwd: team, env: { TOY_TOKEN: 'x', INTERLOCK_LISTEN_PORT: 'lots' } })
  expect([port.code, port.stderr]).toEqual([2, expect.stringMatching(/INTERLOCK_LISTEN_PORT is "lots": write a port/)])
  const token = await interlock(['up'], { cwd: team, env: { TOY_TOKEN: '' } })
  expect([token.code, token.stderr]).toEqual([
    2,
    expect.stringMatching(/TOY_TOKEN is not set; it holds the token for toy/),
  ])
  const data = await interlock(['up', '--data', files.policy], { cwd: team, env: { TOY_TOKEN: 'x' } })
  expect([data.code, data.stderr]).toEqual([
    2,
    expect.stringMatching(/toy\.policy\.yaml: cannot be the data folder.*Name another/),
  ])
})

test('`up` refuses a wrong deployments/*.yaml with line, reason and remedy, exit 2', async () => {
  const file = 'deployments/toy.yaml'
  const described = /schemas\/deployment\.schema\.json/
  await expectRefusals([
    [
      'a risk class that is none',
      file,
      replace('riskClass: low', 'riskClass: tiny'),
      2,
      /toy\.yaml:5:1 {2}riskClass/,
      /"low"\|"medium"/,
    ],
    ['a key that is missing', file, replace('owner: author\n', ''), 2, /toy\.yaml:1:1 {2}owner is missing/, described],
    ['a key that is none', file, replace('owner:', 'ownr:'), 2, /toy\.yaml:2:1 {2}"ownr" is no key/, described],
    [
      'no YAML',
      file,
      replace('owner: author', 'owner: [author'),
      2,
      /toy\.yaml:\d+:\d+ {2}this is not YAML/,
      /Correct the line/,
    ],
    [
      'a name that is none',
      file,
      replace('deployment: toy', 'deployment: Toy!'),
      2,
      /toy\.yaml:1:1 .*lower-case letters/,
      described,
    ],
    [
      'another version',
      file,
      replace('toy@v1', 'toy@v7'),
      2,
      /toy\.yaml:6:1 {2}stable: "toy@v7".*manifest\.json describes "toy@v1"/,
      described,
    ],
    [
      'a segment that nobody counts',
      file,
      replace('[airport]', '[planet]'),
      2,
      /toy\.yaml:7:1 {2}segments: .*"planet", only by airport/,
      /--segment planet=<column>/,
    ],
    [
      'a file that is not there',
      file,
      replace('toy.manifest.json', 'none.json'),
      2,
      /none\.json: cannot be read as a manifest/,
      /docs\/quickstart\.md/,
    ],
    [
      'the wrong document',
      file,
      replace('baseline: toy.baseline', 'baseline: toy.manifest'),
      2,
      /toy\.manifest\.json: holds a document of kind "manifest", not a baseline/,
      /interlock baseline build/,
    ],
  ])
})

test('`up` refuses a manifest or baseline that is not in order, or not of one version, exit 2', async () => {
  const manifest = 'deployments/toy.manifest.json'
  const baseline = 'deployments/toy.baseline.json'
  const [shown, build] = [/docs\/quickstart\.md/, /interlock baseline build/]
  const other = `"baseline":"${'0'.repeat(64)}"`
  await expectRefusals([
    ['no JSON', manifest, () => '{', 2, /cannot be read as a manifest \(.*JSON at position 1/, shown],
    ['no owner', manifest, replace('"owner":"author",', ''), 2, /owner should be text and is missing/, shown],
    ['a digest that is none', manifest, replace(/"digest":"\w+"/, '"digest":"v1"'), 2, /digest is no SHA-256/, shown],
    [
      'another baseline',
      manifest,
      replace(/"baseline":"\w+"/, other),
      2,
      /names baseline 00000000, and .*toy\.baseline\.json is \w{8}/,
      /Write the baseline's hash/,
    ],
    ['null', baseline, () => 'null', 2, /holds no document, not a baseline/, build],
    [
      'fewer rows than it says',
      baseline,
      replace('"rows":20000', '"rows":20001'),
      2,
      /producers have 20000 rows, and it says 20001/,
      build,
    ],
    [
      'edges that were changed by hand',
      baseline,
      replace(/"edges":\[[^,]+,/, '"edges":[-7,'),
      2,
      /spec has another hash/,
      build,
    ],
    ['a field of another kind', baseline, replace('"rows":20000', '"rows":"many"'), 2, /rows should be/, build],
  ])
})

test('`up` and `policy check` refuse a wrong policy with line, column, reason and remedy, exit 1', async () => {
  const file = 'deployments/toy.policy.yaml'
  const mistakes: readonly Mistake[] = [
    [
      'a tolerance that is none',
      file,
      replace('tolerate: 50%', 'tolerate: lots'),
      1,
      /policy\.yaml:10:\d+ .*"tolerate" is "lots"/,
      /Write how much worse/,
    ],
    [
      'a signal with a slip of the pen',
      file,
      replace('signal: errors', 'signal: erors'),
      1,
      /policy\.yaml:10:\d+ .*erors/,
      /Did you mean "errors"/,
    ],
    ['a share above all', file, replace('share: 10%', 'share: 110%'), 1, /policy\.yaml:6:\d+ /, /\n {2}\S/],
    [
      'a rule that protects nobody',
      file,
      replace(', protects: everybody', ''),
      1,
      /policy\.yaml:10:\d+ .*protects/,
      /\n {2}\S/,
    ],
    ['no gate', file, replace('role: gate, ', ''), 1, /policy\.yaml:\d+:\d+ /, /gate/],
  ]
  await expectRefusals(mistakes)
  const policyCheck = (cwd: string): Promise<Ran> => interlock(['policy', 'check', file], { cwd })
  const tabs: Mistake = [
    'tabs',
    file,
    (text) => `${text}\tx: 1\n`,
    1,
    /policy\.yaml:12:1 .*not YAML/,
    /Indent with spaces/,
  ]
  await expectRefusals([...mistakes, tabs], policyCheck, 'stdout')
  // Only the deployment knows its features, so that `check` cannot and `up` must.
  const unknown = replace('distribution(x)', 'distribution(y)')
  await expectRefusals([
    ['a feature that nobody counts', file, unknown, 1, /policy\.yaml:11:\d+ .*unknown feature "y"/, /Did you mean "x"/],
  ])

  const asJson = await interlock(['policy', 'check', file, '--json'], {
    cwd: await editedCopy(file, replace('50%', 'lots')),
  })
  expect(asJson.code).toBe(1)
  expect(documentOf(asJson)).toMatchObject({
    v: 1,
    ok: false,
    problems: [{ line: 10, instead: expect.stringMatching(/\S/) }],
  })
  const good = await interlock(['policy', 'check', files.policy])
  expect([good.code, good.stdout, good.stderr]).toEqual([0, expect.stringMatching(/no problem found/), ''])
  for (const missing of ['nowhere.yaml', folder]) {
    const ran = await interlock(['policy', 'check', missing], { cwd: team })
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(`${missing}: cannot be read`)])
  }
})

test('`rollout start` and `approve` refuse wrong files, hashes and people before they ask for anything', async () => {
  const { manifest, baseline } = running.files.candidate
  const policy = running.files.policy
  const start = (changes: Record<string, string> = {}): Promise<Ran> => {
    const options = { manifest, baseline, policy, ...changes }
    return running.cli(
      'rollout',
      'start',
      'toy',
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    )
  }
  const before = await running.page()
  /** The same with a copy of a file that reads otherwise. */
  const edited = async (option: string, file: string, edit: (text: string) => string): Promise<Ran> => {
    const copy = join(running.folder, `edited-${basename(file)}`)
    await writeFile(copy, edit(await readFile(file, 'utf8')))
    return start({ [option]: copy })
  }
  const stable = join(dirname(policy), 'toy.baseline.json')
  const refusals: readonly (readonly [what: string, ran: Ran, code: number, says: RegExp])[] = [
    [
      'another version’s baseline',
      await start({ baseline: stable }),
      2,
      /toy-v2\.manifest\.json: names baseline \w{8}, and .*toy\.baseline\.json/,
    ],
    [
      'a manifest that is not there',
      await start({ manifest: 'none.json' }),
      2,
      /none\.json: cannot be read as a manifest/,
    ],
    ['a manifest for a policy', await start({ policy: manifest }), 1, /toy-v2\.manifest\.json:1:\d+ /],
    ['nobody', await start({ as: 'nobody' }), 2, /"nobody" is nobody that interlock\.yaml names.*--as/],
    [
      'a manifest without digest',
      await edited('manifest', manifest, replace(/"digest":"\w+",/, '')),
      2,
      /toy-v2\.manifest\.json: is no manifest in order: digest/,
    ],
    [
      'a policy with a mistake',
      await edited('policy', policy, replace('50%', 'lots')),
      1,
      /toy\.policy\.yaml:10:\d+ .*lots\W*\n {2}Write/,
    ],
    [
      'a policy of another model',
      await edited('policy', policy, replace('distribution(x)', 'distribution(y)')),
      1,
      /toy\.policy\.yaml:11:\d+ /,
    ],
    ['a hash that is none', await running.cli('approve', 'toy', 'abc'), 2, /"abc" is no document's hash/],
    ['nobody approves', await running.cli('approve', 'toy', running.hashes.policy, '--as', 'nobody'), 2, /"nobody"/],
    ['a document that was never sent', await running.cli('approve', 'toy', '0'.repeat(64)), 1, /^$/],
    [
      'a deployment that is not there',
      await running.cli('approve', 'none', running.hashes.policy),
      1,
      /No deployment "none"/,
    ],
  ]
  for (const [what, { code, stderr }, expected, says] of refusals) {
    expect([what, code, stderr]).toEqual([what, expected, expect.stringMatching(says)])
  }
  const after = await running.page()
  expect({ ...after.state.view }).toEqual(before.state.view)
  expect(after.decisions.map(({ outcome }) => outcome)).toEqual(['refused', 'registered'])
})
